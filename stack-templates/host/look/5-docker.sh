# shellcheck shell=sh disable=SC2154 # found, root and the functions are those of 1-begin.sh, the rest of settings.sh
# Docker: which one is there, whether it can be used, and what its configuration says against ours.

installed() { ask dpkg --get-selections | awk -v names=" $* " '$2 != "deinstall" { sub(/:.*/, "", $1); if (index(names, " " $1 " ")) print $1 }' | paste -s -d ' ' -; }
docker_info() { ask docker info --format "$1" | head -n 1; }
answers=
[ -z "$(docker_info '{{.ServerVersion}}')" ] || answers=yes
main=$(unit docker MainPID)
containers=
[ -z "$answers" ] || containers=$(ask docker ps --format '{{.Names}}{{"\t"}}{{.Label "com.docker.compose.project"}}' | awk -F '\t' '$2 !~ /^cloudcode-/ { print $1 }' | head -n 5)
others=${containers:+"; it runs $(printf '%s\n' "$containers" | list)"}

if [ -e "$root/snap/bin/docker" ] || [ -d "$root/var/snap/docker" ]; then
  add blocks docker-snap "Docker is installed as a snap, which reads no file below /opt and has another configuration$others" "move its containers elsewhere, then: snap remove docker"
fi
if have docker && grep -qs podman "$(command -v docker)"; then
  add blocks podman "the command docker is Podman here" "apt-get remove podman-docker (Podman itself stays)"
fi
for daemon in "$root"/proc/[0-9]*/comm; do
  [ "$(cat "$daemon" 2>/dev/null)" = dockerd ] || continue
  daemon=${daemon%/comm}
  line=$(tr '\0' ' ' 2>/dev/null <"$daemon/cmdline") || continue
  # An installation that is at work asks it for no more than this, or the service has just been started again.
  case $line in *' --validate'* | *' --version'*) continue ;; esac
  user=$(awk '/^Uid:/ { print $3 }' "$daemon/status" 2>/dev/null)
  if [ "${user:-0}" != 0 ] || printf '%s\n' "$line" | grep -q -e --rootless; then
    user=$(ask getent passwd "$(awk '/^Uid:/ { print $2 }' "$daemon/status")" | cut -d : -f 1)
    add warns docker-rootless "a rootless Docker of ${user:-another user} also runs here; cloudcode installs its own next to it" "nothing, while it does not serve ports 80 and 443"
  elif [ "${main:-0}" != "${daemon##*/}" ] && ! grep -q -E 'docker[-/][0-9a-f]{64}|snap\.docker|/docker\.service' "$daemon/cgroup" 2>/dev/null; then
    add blocks docker-unit "a dockerd runs (process ${daemon##*/}) that is not the service docker of systemd" "stop it, and install Docker from packages; its containers stay in its data folder"
  fi
done

# Where the commands of root go.
context=$(at "$(flatten 2>/dev/null <"$root/root/.docker/config.json")" currentContext)
there=${DOCKER_HOST:-$(sed -n 's/^ *\(export \)*DOCKER_HOST=//p' "$root/etc/environment" 2>/dev/null | tail -n 1)}
case "${there:-unix:///var/run/docker.sock}" in
  unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
  *) add blocks docker-host "root's docker connects to $there instead of this machine's daemon" "remove DOCKER_HOST from /etc/environment" ;;
esac
case ${DOCKER_CONTEXT:-${context:-default}} in
  default) ;;
  *) add blocks docker-host "root's docker has the context ${DOCKER_CONTEXT:-$context} instead of this machine's" "docker context use default" ;;
esac

if have dockerd; then
  found_engine="Docker $engine"
  # What apt would have to remove for it: another owner's engine, with the containers on it.
  instead=
  if [ "$packages" = docker-ce ]; then
    instead=$(installed docker.io docker-engine podman-docker)
  else
    instead=$(installed docker-ce docker-ce-cli containerd.io)
  fi
  other=docker-ce
  [ "$packages" = distribution ] || other=distribution
  if [ -z "$engine_ready" ]; then
    lacks=
    [ "$engine" -ge 25 ] || lacks="is too old (25 is needed)"
    [ -n "$compose" ] || lacks="${lacks:+$lacks and }has no Compose v2"
    if [ -n "$instead" ]; then
      fix="remove it, its data stay: apt-get remove $instead"
      [ "$engine" -lt 25 ] || fix="pulumi config set dockerPackages $other, which adds Compose to it; or $fix"
      add blocks docker-old "$found_engine $lacks, and the one that dockerPackages selects cannot be installed next to it$others" "$fix"
    elif [ -n "$containers" ]; then
      add warns docker-old "$found_engine $lacks and is upgraded, which restarts its containers$others" "nothing; or upgrade it yourself at a good time"
    fi
  fi
  if [ "$(unit docker LoadState)" = masked ]; then
    add blocks docker-stopped "the service docker is masked" "systemctl unmask docker.service docker.socket"
  elif [ -z "$answers" ] && [ "$(unit docker ActiveState)" = failed ]; then
    add blocks docker-stopped "Docker is installed and does not start: $(ask journalctl -u docker --no-pager -o cat -n 20 | grep -i -E 'fail|error|unable' | tail -n 1)" "fix what it names, then: systemctl restart docker"
  elif [ "$(unit docker ActiveState)" = active ] && [ -z "$answers" ]; then
    add blocks docker-stopped "Docker runs, but does not answer within 20 s" "systemctl restart docker (this restarts its containers)"
  elif [ -z "$answers" ] && [ -n "$(ls "$root$data_root/containers" 2>/dev/null)" ]; then
    add warns docker-stopped "Docker is stopped, and is started: containers that restart by themselves come back" "docker update --restart no NAME, for one that must not"
  fi
fi

swarm=$(docker_info '{{.Swarm.LocalNodeState}}')
if [ -n "$answers" ]; then
  case $swarm in '' | inactive) swarm= ;; esac
elif [ -e "$root$data_root/swarm/docker-state.json" ]; then
  swarm=stopped
else
  swarm=
fi
if [ -n "$swarm" ]; then
  services=$(ask docker service ls --format '{{.Name}}' | head -n 5 | list)
  add warns swarm "Docker is in swarm mode (${services:-no services}): live-restore does not go with it, so that each restart of Docker restarts all containers" "docker swarm leave --force, which ends its services, where nobody needs them any more"
fi

# What the file and the command line of dockerd say together, as `path<TAB>value`.
file="$root/etc/docker/daemon.json"
options=
if [ -s "$file" ]; then
  options=$(flatten <"$file" 2>/dev/null) || {
    options=
    add blocks daemon-json "/etc/docker/daemon.json is not valid JSON" "repair it (jq . /etc/docker/daemon.json says where), or move it away"
  }
  case $(tr -d ' \t\r\n' <"$file" | cut -c 1) in
    '{' | '') ;;
    *) add blocks daemon-json "/etc/docker/daemon.json holds no JSON object" "repair it, or move it away" ;;
  esac
fi
words=$(tr '\0' '\n' 2>/dev/null <"$root/proc/${main:-0}/cmdline")
[ -n "$words" ] || words=$(unit docker ExecStart | sed -n 's/.*argv\[\]=\([^;]*\) ;.*/\1/p' | tr ' ' '\n')
# Those that may be repeated have another name in the file (https://docs.docker.com/reference/cli/dockerd/).
flags=$(printf '%s\n' "$words" | awk '
  function put(k, v) {
    if (k == "H" || k == "host") k = "hosts"
    else if (k == "b") k = "bridge"
    else if (k == "log-opt" || k == "default-address-pool" || k == "registry-mirror") k = k "s"
    else if (k == "insecure-registry") k = "insecure-registries"
    print k "\t" v
  }
  NR == 1 { next }
  /^--?[A-Za-z]/ {
    if (key != "") put(key, "true")
    key = $0; sub(/^--?/, "", key); at = index(key, "=")
    if (at) { put(substr(key, 1, at - 1), substr(key, at + 1)); key = "" }
    next
  }
  key != "" { put(key, $0); key = "" }
  END { if (key != "") put(key, "true") }')
said() { # KEY
  find_value "$flags" "$1"
  [ -n "$value" ] || find_value "$options" "$1"
  printf '%s\n' "$value"
}
where="/etc/docker/daemon.json (or the command line of dockerd: systemctl cat docker)"

if [ -z "$answers" ] && printf '%s\n' "$options" | grep -q '^hosts' && { ! have dockerd || [ -n "$(at "$flags" hosts)" ]; }; then
  add blocks daemon-hosts "hosts stands in /etc/docker/daemon.json, and -H in Docker's unit: dockerd refuses both" "take hosts out of /etc/docker/daemon.json"
fi
[ "$(said iptables)" != false ] ||
  add warns daemon-iptables "Docker sets no firewall rules here (iptables is false): containers reach the internet, and visitors the Apps, by rules of yours alone" "take iptables out of $where"
if [ "$(said ip-forward)" = false ] || [ "$(said firewall-backend)" = nftables ]; then
  [ "$(cat "$root/proc/sys/net/ipv4/ip_forward" 2>/dev/null)" = 1 ] ||
    add blocks forwarding "IP forwarding is off, and Docker is configured to leave it off: containers have no network" "sysctl -w net.ipv4.ip_forward=1, and that in a file of /etc/sysctl.d"
fi
[ "$(said ip-masq)" != false ] ||
  add warns daemon-ip-masq "Docker does not masquerade its networks here (ip-masq is false): containers reach the internet by rules of yours alone" "take ip-masq out of $where"
[ "$(said bridge)" != none ] ||
  add blocks daemon-bridge "Docker has no default network here (bridge is none), in which images are built and backups run" "take bridge out of $where"
case $(said ip) in
  '' | 0.0.0.0 | ::) ;;
  *) add blocks daemon-ip "Docker publishes ports at $(said ip) alone, so that nobody else reaches the Apps" "take ip out of $where" ;;
esac
[ -z "$(said userns-remap)" ] ||
  add blocks daemon-userns "Docker gives containers other user ids here (userns-remap), which can read none of the files made for them" "take userns-remap out of $where; another machine, where its containers need it"
[ -z "$(said authorization-plugins.0)$(said authorization-plugin)" ] ||
  add warns daemon-authorization "Docker asks a plugin before each call here (authorization-plugins), which may refuse cloudcode's" "let it allow root all of them"
case $(said default-runtime) in
  '' | runc | io.containerd.runc.v2 | nvidia) ;;
  *) add warns daemon-runtime "containers run by $(said default-runtime) here, which is not tried" "take default-runtime out of $where" ;;
esac

# Keys of another owner that get our value.
if [ -z "$ours" ] && [ -n "$options" ]; then
  changed=
  for key in live-restore default-address-pools dns; do
    theirs=$(printf '%s\n' "$options" | grep -E "^$key(\.|$tab)")
    mine=$(printf '%s\n' "$our_options" | grep -E "^$key(\.|$tab)")
    [ -z "$theirs" ] || [ -z "$mine" ] || [ "$theirs" = "$mine" ] || changed="$changed$key
"
  done
  [ -z "$changed" ] ||
    add warns daemon-keys "these keys of /etc/docker/daemon.json get cloudcode's values: $(printf '%s' "$changed" | list)" "nothing; the other keys stay as they are, and existing networks keep their addresses"
fi

# The networks of the machine against the one that Docker cuts ours from.
pool=$(at "$our_options" default-address-pools.0.base)
taken=$(ask ip -4 -o route show table main | awk '{ dev = ""; for (i = 1; i < NF; i++) if ($i == "dev") dev = $(i + 1); if ($1 != "default" && dev !~ /^(br-|docker|veth)/) print $1, dev }' |
  awk -v pool="$pool" '
    function number(a,  p) { split(a, p, "."); return ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4] }
    function size(a,  n, out) { n = a ~ /\// ? 32 - substr(a, index(a, "/") + 1) : 0; for (out = 1; n > 0; n--) out *= 2; return out }
    { net = $1; sub(/\/.*/, "", net); base = pool; sub(/\/.*/, "", base)
      # One that takes a part of it leaves Docker the rest.
      if (int(number(base) / size($1)) == int(number(net) / size($1)) && size($1) >= size(pool)) { print $1 " (" $2 ")"; exit } }')
[ -z "$taken" ] ||
  add blocks address-pool "the network $taken of this machine covers $pool, which Docker is to cut its networks from" "pulumi config set dockerAddressPool with a private network that is free there, as 10.202.0.0/16 or 172.30.0.0/16"
