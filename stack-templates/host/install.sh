#!/bin/sh
# Makes a fresh machine ready for Compose stacks, and a ready one stays as it is: every step looks before it acts.
# Run as root beside settings.sh and daemon.json; the first argument is the address the operator connects from.
# shellcheck disable=SC2154 # the lower-case names come from settings.sh
set -eu
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
here=$(dirname "$0")
client=${1:-}
# shellcheck source=/dev/null
. "$here/settings.sh"
# shellcheck source=/dev/null
. "${OS_RELEASE:-/etc/os-release}"

# Before anything is touched: all that is in the way at once. One script of parts, as `ops doctor --host` sends it.
LOOK_WAIT=600 sh -c "$(cat "$here/settings.sh" "$here"/look/*.sh)" look || exit 1

log=/var/log/cloudcode/host.log
mkdir -p /var/log/cloudcode /opt/cloudcode/bin /opt/cloudcode/stacks
# Files of a release belong to the uid that their container runs as, which may be a person's on this machine. Containers see
# them by mounts that Docker makes as root.
chmod 700 /var/log/cloudcode /opt/cloudcode/stacks
exec 3>&1 >"$log" 2>&1

fail() {
  echo "cloudcode: $*" >&3
  exit 1
}
trap '[ $? -eq 0 ] || { echo "last lines of $log:"; tail -n 15 "$log"; } >&3' EXIT

case "$ID ${VERSION_ID:-}" in
  "ubuntu 22.04" | "ubuntu 24.04" | "debian 13") ;;
  "debian 12") [ "$packages" = docker-ce ] || fail "Debian 12 has no Compose v2 of its own: set dockerPackages to docker-ce" ;;
  *) fail "this machine runs ${PRETTY_NAME:-$ID ${VERSION_ID:-}}; cloudcode supports Ubuntu 22.04 and 24.04, Debian 12 and 13" ;;
esac

# A first boot still writes users, keys and package lists while it already answers SSH; 2 means done with warnings (lessons C1).
if command -v cloud-init >/dev/null; then
  cloud-init status --wait || [ $? -eq 2 ] || fail "cloud-init failed on this machine: see cloud-init status --long"
fi

apt() { apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -qq "$@"; }
apt_install() {
  apt update || fail "apt-get update failed: are the package mirrors reachable from the host?"
  apt install -y --no-install-recommends "$@" || { dpkg --configure -a && apt install -y --no-install-recommends "$@"; } ||
    fail "these packages could not be installed: $*"
}

engine_ready() {
  command -v docker >/dev/null && docker compose version --short >/dev/null 2>&1 &&
    [ "$(dockerd --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 25 ]
}

# Before Docker is installed, so that its data is on the data disk from the start.
if [ -n "$data_disk" ]; then
  install -m 755 "$here/data-disk" /opt/cloudcode/bin/data-disk
  sed "s#@data_disk@#$data_disk#" "$here/cloudcode-data-disk.service" >/etc/systemd/system/cloudcode-data-disk.service
  mkdir -p /etc/systemd/system/docker.service.d
  printf '[Unit]\nRequires=cloudcode-data-disk.service\nAfter=cloudcode-data-disk.service\n' \
    >/etc/systemd/system/docker.service.d/cloudcode-data-disk.conf
  systemctl daemon-reload
  systemctl enable cloudcode-data-disk
  systemctl start cloudcode-data-disk || fail "the data disk could not be mounted: $(journalctl -u cloudcode-data-disk -n 3 --no-pager -o cat)"
  resize2fs "$(findmnt -no SOURCE /var/lib/docker)" ||
    echo "cloudcode: the data disk's file system grows to $data_disk_gib GiB at the next boot" >&3
fi

needed=
for program in jq flock iptables curl; do command -v $program >/dev/null || needed="$needed $program"; done
needed=$(echo "$needed" | sed 's/flock/util-linux/')
if ! engine_ready; then
  if [ "$packages" = docker-ce ]; then
    # shellcheck disable=SC2086 # package names are words
    apt_install ca-certificates curl $needed
    install -d -m 755 /etc/apt/keyrings
    curl -fsSL --retry 3 "$apt_repository/$ID/gpg" -o /etc/apt/keyrings/docker.asc ||
      fail "$apt_repository does not answer: set dockerAptRepository to a mirror, or dockerPackages to distribution"
    echo "deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/keyrings/docker.asc] $apt_repository/$ID $VERSION_CODENAME stable" \
      >/etc/apt/sources.list.d/docker.list
    apt_install docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
  else
    # shellcheck disable=SC2086 # package names are words
    case $ID in
      debian) apt_install docker.io docker-cli docker-compose docker-buildx $needed ;;
      *) apt_install docker.io docker-compose-v2 docker-buildx $needed ;;
    esac
  fi
  engine_ready || fail "Docker Engine 25 or newer with Compose v2 is needed; found $(dockerd --version)"
elif [ -n "$needed" ]; then
  # shellcheck disable=SC2086
  apt_install $needed
fi

# What another owner of the machine set in daemon.json stays, but for the keys cloudcode decides.
daemon=/etc/docker/daemon.json
mkdir -p /etc/docker
[ -s $daemon ] || echo '{}' >$daemon
jq --sort-keys --slurp '.[0] * .[1]' $daemon "$here/daemon.json" >$daemon.new || fail "$daemon is not valid JSON"
if jq --sort-keys . $daemon | cmp -s - $daemon.new && systemctl is-active --quiet docker; then
  rm $daemon.new
else
  dockerd --validate --config-file $daemon.new || fail "Docker refuses its new $daemon"
  mv $daemon.new $daemon
  systemctl enable docker
  systemctl restart docker || fail "Docker did not start with the new $daemon: $(journalctl -u docker -n 5 --no-pager -o cat)"
fi

# Memory pressure must end in swapping and a killed App, never in a frozen machine (lessons F4).
swapfile=/swapfile.cloudcode
if [ "$swap_mib" -gt 0 ] && [ -z "$(swapon --noheadings --show)" ]; then
  if { fallocate -l "${swap_mib}M" $swapfile || dd if=/dev/zero of=$swapfile bs=1M count="$swap_mib"; } &&
    chmod 600 $swapfile && mkswap $swapfile && swapon $swapfile; then
    grep -q "^$swapfile " /etc/fstab || echo "$swapfile none swap sw 0 0" >>/etc/fstab
    echo 'vm.swappiness = 10' >/etc/sysctl.d/60-cloudcode.conf
    sysctl -p /etc/sysctl.d/60-cloudcode.conf || true
  else
    rm -f $swapfile
    echo "cloudcode: no swap file on this machine (it does not allow one)" >&3
  fi
fi

# One-time codes and certificates need the right time; a machine that cannot sync still works, so this only waits a moment.
if ! command -v chronyd >/dev/null && ! systemctl cat systemd-timesyncd >/dev/null 2>&1; then apt_install systemd-timesyncd; fi
if [ -n "$ntp_server" ]; then
  mkdir -p /etc/systemd/timesyncd.conf.d
  printf '[Time]\nNTP=%s\n' "$ntp_server" >/etc/systemd/timesyncd.conf.d/cloudcode.conf
  systemctl try-restart systemd-timesyncd
fi
timedatectl set-ntp true || true
tries=0
until [ "$(timedatectl show -p NTPSynchronized --value)" = yes ] || [ $tries -ge 10 ]; do
  tries=$((tries + 1))
  sleep 1
done
[ $tries -lt 10 ] || echo "cloudcode: the clock is not synchronised yet; one-time codes fail when it is off by more than 30 s" >&3

# Only keys open this machine, and a silent session of ours stays open through NAT (lessons A15).
sshd=/etc/ssh/sshd_config.d/10-cloudcode.conf
mkdir -p /etc/ssh/sshd_config.d
printf '%s\n' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' 'PermitRootLogin prohibit-password' \
  'ClientAliveInterval 15' 'ClientAliveCountMax 40' >$sshd.new
if cmp -s $sshd.new $sshd; then
  rm $sshd.new
else
  mv $sshd.new $sshd
  sshd -t || { rm $sshd && fail "sshd refuses $sshd"; }
  systemctl reload ssh || systemctl reload sshd
fi

in_cidr() { # IPV4 CIDR
  awk -v ip="$1" -v cidr="$2" 'function n(a, p) { split(a, p, "."); return ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4] }
    BEGIN { split(cidr, c, "/"); size = 2 ^ (32 - c[2]); exit int(n(ip) / size) != int(n(c[1]) / size) }'
}
if [ -n "$ssh_cidrs" ] && [ -n "${client##*:*}" ]; then
  inside=
  for cidr in $ssh_cidrs; do
    case $cidr in *:*) ;; *) if in_cidr "$client" "$cidr"; then inside=yes; fi ;; esac
  done
  [ -n "$inside" ] || fail "sshCidrs does not contain $client, the address you connect from: it would lock you out"
fi

# shellcheck source=stack-templates/host/operations.sh
. "$here/operations.sh"
# shellcheck source=stack-templates/host/name.sh
. "$here/name.sh"
sed -e "s#@ssh_port@#$ssh_port#" -e "s#@ssh_cidrs@#$ssh_cidrs#" "$here/firewall" >/opt/cloudcode/bin/firewall
chmod 755 /opt/cloudcode/bin/firewall
install -m 644 "$here/cloudcode-firewall.service" /etc/systemd/system/cloudcode-firewall.service
systemctl daemon-reload
systemctl enable cloudcode-firewall
systemctl restart cloudcode-firewall || fail "the firewall rules could not be set"
echo "host is ready: $(docker --version), Compose $(docker compose version --short)" >&3
