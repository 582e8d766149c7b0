# shellcheck shell=sh disable=SC2154 # found, root and the functions are those of 1-begin.sh and 5-docker.sh, the rest of settings.sh
# What serves the ports of the edge, and what stands between them and the world.

# The sockets of a port: `protocol inode`, by the kernel's own tables (RFC-less: Documentation/networking/proc_net_tcp).
sockets() { # PORT
  hex=$(printf ':%04X' "$1")
  set -- "$1" tcp tcp6 udp udp6
  [ "$1" != 80 ] || set -- "$1" tcp tcp6
  shift
  for protocol in "$@"; do
    shift
    [ ! -r "$root/proc/net/$protocol" ] || set -- "$@" "protocol=${protocol%6}" "$root/proc/net/$protocol"
  done
  [ $# -gt 0 ] || return 0
  # 0A listens; a UDP socket that is connected to nobody (07) waits for anybody.
  awk -v port="$hex" 'index($2, port) == length($2) - 4 && ($4 == "0A" || (protocol == "udp" && $4 == "07")) { print protocol, $10 }' "$@" | sort -u
}
# Lines `inode pid` of all sockets that are held.
holders() {
  # shellcheck disable=SC2012 # the names are numbers, and find would ask for each by itself
  ls -l "$root"/proc/[0-9]*/fd 2>/dev/null |
    awk '/\/proc\/[0-9]+\/fd:$/ { n = split($0, part, "/"); pid = part[n - 1] } / socket:\[[0-9]+\]$/ { sub(/.*socket:\[/, ""); sub(/\]$/, ""); print $0, pid }'
}
held=$(holders)

# What a process belongs to: KIND NAME.
belongs() { # PID
  group=$(cat "$root/proc/$1/cgroup" 2>/dev/null)
  inside=$(printf '%s\n' "$group" | sed -n 's/.*\(docker[-/]\)\([0-9a-f]\{64\}\).*/\2/p' | head -n 1)
  if [ -n "$inside" ] && name=$(ask docker inspect --format '{{.Name}}' "$inside") && [ -n "$name" ]; then
    echo "container ${name#/}"
    return
  fi
  name=$(printf '%s\n' "$group" | sed -n 's#.*/\([^/]*\.service\).*#\1#p' | grep -v -E '^(user@|docker\.service|containerd\.service|podman)' | head -n 1)
  [ -z "$name" ] || echo "unit $name"
}

published=$(ask docker ps --format '{{.Names}}{{"\t"}}{{.Image}}{{"\t"}}{{.Label "com.docker.compose.project"}}{{"\t"}}{{.Ports}}')
services=$(ask docker service ls --format '{{.Name}}{{"\t"}}{{.Ports}}')
served=$(printf '%s\n' "$published" | cut -f 4; printf '%s\n' "$services" | cut -f 2)
published=$(printf '%s\n' "$published" | awk -F '\t' '$3 !~ /^cloudcode-/')
reported=
for port in 80 443; do
  # Containers that publish it, whether a process stands for them or not.
  printf '%s\n' "$published" | awk -F '\t' -v port=":$port->" 'index($4, port) { print $1 "\t" $2 }' >"$scratch/published"
  while IFS="$tab" read -r name image; do
    case "$reported" in *"<container $name>"*) continue ;; esac
    reported="$reported<container $name>"
    name=$(word "$name" NAME)
    add blocks ports "the container $name ($image) serves port $port" "docker update --restart no $name && docker stop $name"
  done <"$scratch/published"
  # A service of a swarm is published by dockerd itself.
  printf '%s\n' "$services" | awk -F '\t' -v port=":$port->" 'index($2, port) { print $1 }' >"$scratch/published"
  while read -r name; do
    case "$reported" in *"<service $name>"*) continue ;; esac
    reported="$reported<service $name>"
    name=$(word "$name" NAME)
    add blocks ports "the swarm service $name serves port $port" "docker service rm $name, or docker swarm leave --force"
  done <"$scratch/published"

  sockets "$port" >"$scratch/sockets"
  while read -r protocol inode; do
    pid=$(printf '%s\n' "$held" | awk -v inode="$inode" '$1 == inode { print $2; exit }')
    if [ -z "$pid" ]; then
      case "$reported" in *"<kernel $port>"*) continue ;; esac
      reported="$reported<kernel $port>"
      add blocks ports "the kernel itself holds $protocol port $port (WireGuard, NFS or another tunnel)" "give it another port: ss -lunp; wg show"
      continue
    fi
    process=$(clean "$(head -n 1 "$root/proc/$pid/comm" 2>/dev/null)" 40)
    case $process in
      # Stands for a container or a service, which is named above, or is our own.
      docker-proxy | dockerd) case "$served" in *":$port->"*) continue ;; esac ;;
    esac
    owner=$(belongs "$pid")
    # Ours, once the home has moved to another host (forward of backup-move.sh).
    case "$owner" in "unit cloudcode-moved-$port.service") continue ;; esac
    case "$reported" in *"<$owner $process>"*) continue ;; esac
    reported="$reported<$owner $process>"
    name=${owner#* }
    case "$owner" in
      container*)
        case "$reported" in *"<container $name>"*) continue ;; esac
        case "$name" in cloudcode-*) continue ;; esac
        reported="$reported<container $name>"
        add blocks ports "$process in the container $name serves $protocol port $port" "docker update --restart no $(word "$name" NAME) && docker stop $(word "$name" NAME)"
        ;;
      unit*) add blocks ports "$process (service ${name%.service}) serves $protocol port $port" "systemctl disable --now $(word "$name" UNIT)" ;;
      *)
        socket=
        [ "$pid" != 1 ] || socket=$(ask systemctl list-sockets --no-legend --no-pager --plain | awk -v port=":$port" 'index($1, port) == length($1) - length(port) + 1 { print $2; exit }')
        if [ "$socket" = "cloudcode-moved-$port.socket" ]; then
          continue
        elif [ -n "$socket" ]; then
          add blocks ports "systemd serves $protocol port $port for ${socket}" "systemctl disable --now $(word "$socket" UNIT)"
        else
          add blocks ports "$process (process $pid) serves $protocol port $port" "find out who starts it (ps -fp $pid; systemctl status $pid), and stop it there"
        fi
        ;;
    esac
  done <"$scratch/sockets"
done

# Kubernetes serves ports of its pods by rules alone.
clusters="k3s rke2-server kubelet snap.microk8s.daemon-kubelite"
# shellcheck disable=SC2086 # words
states=$(ask systemctl is-active $clusters)
for kubernetes in $clusters; do
  state=${states%%"$newline"*}
  states=${states#*"$newline"}
  [ "$state" = active ] || continue
  if ask iptables-save -t nat | grep -E '^-A CNI-(HOSTPORT|DN|HN)' | grep -q -E -- '--dports? ([0-9,]*,)?(80|443)( |,|$)'; then
    add blocks ports "Kubernetes ($kubernetes) serves port 80 or 443 for a pod, its ingress" "kubectl get services,pods -A | grep -i -E 'traefik|ingress|svclb' says which; disable it (k3s: disable: [traefik, servicelb] in /etc/rancher/k3s/config.yaml)"
  else
    add warns kubernetes "Kubernetes ($kubernetes) runs here, and has rules of its own for what is forwarded" "nothing; lwsandbox needs a machine without it"
  fi
done

while read -r folder name; do
  [ ! -e "$root$folder" ] ||
    add warns panel "$name is installed here ($folder): it manages web servers, firewall or Docker itself, and may undo what cloudcode sets, or the other way round" "another machine for one of the two, or remove it by its own uninstaller"
done <<'END'
/captain CapRover
/etc/dokploy Dokploy
/data/coolify Coolify
/etc/easypanel Easypanel
/home/dokku Dokku
/www/server/panel aaPanel
/opt/1panel 1Panel
/usr/local/bin/1pctl 1Panel
/usr/local/psa Plesk
/usr/local/cpanel cPanel
/usr/local/CyberCP CyberPanel
/usr/local/directadmin DirectAdmin
/usr/local/hestia HestiaCP
/usr/local/vesta VestaCP
/usr/local/ispconfig ISPConfig
/usr/local/fastpanel2 FASTPANEL
/home/clp CloudPanel
/etc/yunohost YunoHost
/etc/webmin Webmin
/etc/casaos CasaOS
/etc/pve Proxmox
/etc/openmediavault OpenMediaVault
/usr/share/hassio Home-Assistant
/RunCloud RunCloud
/opt/gitlab GitLab
/opt/umbrel Umbrel
END

# Docker leads what comes for a container past ufw's own rules; by IPv6, and where Docker sets no rules, visitors come to a process
# of the machine, and those rules count.
if grep -qsi '^ENABLED=yes' "$root/etc/ufw/ufw.conf" && [ "$(unit ufw ActiveState)" != inactive ]; then
  closed=
  for rule in "80 tcp" "443 tcp" "443 udp"; do
    grep -qsE "^### tuple ### (allow|limit) (any|${rule#* }) ([0-9,:]+,)?${rule% *}(,[0-9,:]+)? " "$root/etc/ufw/user.rules" ||
      grep -qs '^DEFAULT_INPUT_POLICY="ACCEPT"' "$root/etc/default/ufw" || closed="$closed ${rule% *}/${rule#* }"
  done
  [ -n "$ours" ] || [ -z "$closed" ] ||
    add warns ufw "ufw is on and does not let$closed in: visitors by IPv6 do not get through" "ufw allow 80/tcp && ufw allow 443"
  ! grep -qs '^[^#]*DOCKER-USER' "$root/etc/ufw/after.rules" || grep -qsE '^### tuple ### route:allow' "$root/etc/ufw/user.rules" ||
    add blocks ufw-docker "ufw-docker keeps visitors from all containers (DOCKER-USER in /etc/ufw/after.rules)" "ufw route allow proto tcp from any to any port 80,443 && ufw route allow proto udp from any to any port 443"
fi
if [ "$(unit firewalld ActiveState)" = active ]; then
  zone=$(ask firewall-cmd --get-default-zone)
  closed=
  for service in http https; do
    ask firewall-cmd --zone="$zone" --query-service=$service >/dev/null || [ "$(ask firewall-cmd --permanent --zone="$zone" --get-target)" = ACCEPT ] || closed="$closed $service"
  done
  [ -n "$ours" ] || [ -z "$closed" ] ||
    add warns firewalld "firewalld is on and its zone $zone does not let$closed in: visitors by IPv6 do not get through" "firewall-cmd --permanent --add-service=http --add-service=https --add-port=443/udp && firewall-cmd --reload"
  ! grep -qsi '^StrictForwardPorts=yes' "$root/etc/firewalld/firewalld.conf" ||
    add blocks firewalld-strict "firewalld keeps visitors from all containers (StrictForwardPorts=yes)" "StrictForwardPorts=no in /etc/firewalld/firewalld.conf, then: firewall-cmd --reload"
fi
# A table of somebody's own that drops what is forwarded drops it for Docker, too: one accept of another table does not save it.
if have nft && { [ "$(unit nftables ActiveState)" = active ] || [ -d "$root/sys/module/nf_tables" ]; }; then
  dropped=$(ask nft list ruleset | awk '
    $1 == "table" { table = $2 " " $3 }
    /hook forward/ && /policy drop/ && table !~ /^(ip|ip6) filter$/ && table !~ / (firewalld|docker-bridges)$/ { print table; exit }')
  [ -z "$dropped" ] ||
    add warns nftables "the nftables table $dropped drops what is forwarded: containers reach and serve nobody, unless it lets them" "nft list table $(clean "$dropped" 60); let what comes from and goes to Docker's bridges pass (iifname and oifname docker0, br-*)"
fi
