# shellcheck shell=sh disable=SC2154 # found, root and the functions are those of 1-begin.sh, the rest of settings.sh
# The system itself: what starts it, which one it is, and what it runs on.

os() { sed -n "/^$1=/{s///;s/[\"']//g;p;q;}" "$root/etc/os-release" 2>/dev/null; }
id=$(os ID)
version=$(os VERSION_ID)
case "$id $version" in
  "ubuntu 22.04" | "ubuntu 24.04" | "debian 13") ;;
  "debian 12")
    [ "$packages" != distribution ] ||
      add blocks system "Debian 12 has no Compose v2 of its own" "pulumi config set dockerPackages docker-ce"
    ;;
  *)
    name=$(os PRETTY_NAME)
    add blocks system "this machine runs ${name:-${id:-no known system} $version}; cloudcode supports Ubuntu 22.04 and 24.04, Debian 12 and 13" \
      "another machine, or one of these systems on this one"
    ;;
esac

case $(uname -m) in
  x86_64 | amd64) ;;
  aarch64 | arm64)
    for app in ${x86_apps:-}; do
      add blocks architecture "$app has images for x86-64 only, and this machine's processor is ARM" "switch $app off (pulumi config set ${app}Enabled false), or an x86-64 machine"
    done
    [ -n "${x86_apps:-}" ] || add warns architecture "this machine's processor is ARM: there are images for all Apps but lwsandbox, which the tests of cloudcode run on x86-64 alone" "nothing, or an x86-64 machine"
    ;;
  *) add blocks architecture "this machine's processor is $(uname -m); cloudcode's images are for x86-64 and 64-bit ARM" "a machine with such a processor" ;;
esac
# Docker comes as a package of the system, and takes images of that architecture.
system=$(ask dpkg --print-architecture)
case "$(uname -m) ${system:-none}" in
  *" amd64" | *" arm64" | *" none") ;;
  x86_64\ * | aarch64\ *)
    add blocks architecture "this machine's processor and kernel have 64 bits, and its system is $system, for which cloudcode's images are not" "install the same system for amd64 or arm64"
    ;;
esac

first=$(cat "$root/proc/1/comm" 2>/dev/null)
if [ "$first" != systemd ]; then
  fix="a machine, or a container, that systemd starts"
  ! grep -qi microsoft "$root/proc/version" 2>/dev/null || fix="write [boot] systemd=true into /etc/wsl.conf, then: wsl --shutdown"
  add blocks systemd "systemd does not run this machine: its first process is ${first:-unknown}" "$fix"
fi

# A first boot still writes users, keys and package lists while it already answers SSH. A unit that is masked never starts, and
# what failed on a first boot long ago is no matter of today.
booting() {
  state=$(ask systemctl show -p ActiveState -p Job cloud-init-local.service cloud-init-main.service cloud-init-network.service \
    cloud-init.service cloud-config.service cloud-final.service)
  case $newline$state in *"${newline}ActiveState=activating"* | *"${newline}Job="[1-9]*) return 0 ;; esac
  return 1
}
waited=0 boots=
while booting; do
  [ $waited -lt "$patience" ] || {
    boots=yes
    break
  }
  sleep 2
  waited=$((waited + 2))
done
if [ -n "$boots" ]; then
  severity=warns
  [ "$patience" -eq 0 ] || severity=blocks
  add $severity cloud-init "cloud-init has not come to the end of this machine's first boot" "cloud-init status --wait --long says what it does"
fi
failed=$(at "$(flatten 2>/dev/null <"$root/run/cloud-init/result.json")" v1.errors.0)
[ -n "$ours" ] || [ -z "$failed" ] ||
  add warns cloud-init-failed "cloud-init failed at this boot: $(clean "$failed" 200)" "cloud-init status --long; nothing, where the machine is as you want it"

failed=$(ask systemctl list-units --state=failed --plain --no-legend --no-pager | awk '{ print $1 }' |
  grep -E '^(apt-|containerd|docker|dpkg-|firewalld|iptables|networking|nftables|ssh|systemd-(modules-load|networkd|resolved|timesyncd)|ufw|unattended-)' | head -n 5)
[ -z "$failed" ] ||
  add warns failed-units "these units of the machine have failed: $(printf '%s\n' "$failed" | list)" "systemctl status $(word "$(printf '%s\n' "$failed" | head -n 1)" UNIT)"

# An update of the kernel took the modules of the one that runs: nothing that is not loaded yet can be.
release=$(uname -r)
if [ -d "$root/lib/modules" ] && [ -n "$(ls "$root/lib/modules")" ] && [ ! -d "$root/lib/modules/$release" ] && [ ! -e "$root/run/systemd/container" ]; then
  add blocks kernel-modules "the running kernel $release has no modules left on this machine: an update replaced them" "reboot"
fi
# Backups show an App's data by mounts that follow no link (nosymfollow).
if [ -z "$worker" ] && printf '%s\n' "$release" | awk -F '[^0-9]+' '{ exit !($1 != "" && ($1 < 5 || ($1 == 5 && $2 < 10))) }'; then
  severity=blocks
  [ -z "$ours" ] || severity=warns
  add $severity kernel-old "the running kernel is $release; backups need 5.10 or newer" "a kernel of the distribution: apt-get install linux-image-$(ask dpkg --print-architecture || echo ARCHITECTURE) (Debian) or linux-generic (Ubuntu), then reboot; of a container, that of the machine around it"
fi
lacks=
for module in overlay bridge veth; do
  case $module in
    overlay) grep -qw overlay "$root/proc/filesystems" ;;
    *) [ -d "$root/sys/module/$module" ] || [ -n "$(ls -d "$root"/sys/class/net/docker0 2>/dev/null)" ] ;;
  esac || ask modprobe --dry-run --quiet $module ||
    # In a container it is the outer machine's matter.
    { [ $module != overlay ] && [ -e "$root/run/systemd/container" ]; } ||
    lacks="$lacks$module
"
done
[ -z "$lacks" ] ||
  add blocks kernel "the kernel $release has no $(printf '%s' "$lacks" | list), which containers need" "a kernel of the distribution: apt-get install linux-image-$(ask dpkg --print-architecture || echo ARCHITECTURE) (Debian) or linux-generic (Ubuntu), then reboot"

controllers=$(cat "$root/sys/fs/cgroup/cgroup.controllers" 2>/dev/null)
if [ -z "$controllers" ]; then controllers=$(awk '!/^#/ && $4 == 1 { print $1 }' "$root/proc/cgroups" 2>/dev/null | list); fi
case " $controllers" in
  *[\ ,]memory*) ;;
  *) add blocks cgroups "the kernel does not account for memory, so that no App's limit would hold" "add cgroup_enable=memory to the kernel's command line, and reboot" ;;
esac

container=$(ask systemd-detect-virt --container)
case ${container:-none} in
  none) ;;
  openvz) add blocks container "this machine is an OpenVZ container, in which Docker does not run" "a virtual machine (KVM) of the provider" ;;
  *)
    ask docker info >/dev/null || ask unshare --mount sh -c 'mount -t tmpfs none /tmp' ||
      add blocks container "this machine is a container ($container) that may not mount anything, as Docker has to" "let it nest: pct set ID --features nesting=1,keyctl=1 (Proxmox), lxc config set NAME security.nesting true (LXD, Incus)"
    ;;
esac
[ "$(cat "$root/sys/fs/selinux/enforce" 2>/dev/null)" != 1 ] ||
  add warns selinux "SELinux is enforcing here; cloudcode labels no volumes, and containers may not read theirs" "setenforce 0, and SELINUX=permissive in /etc/selinux/config"

memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "$root/proc/meminfo" 2>/dev/null)
# An App's own need is asked for when it is installed, too, and is known here before that where the stack's settings are.
if [ -n "$memory" ] && [ "$memory" -lt "${memory_mib:-0}" ]; then
  add blocks memory "this machine has $memory MiB of memory, and the Apps that are on need $memory_mib" "a machine with more, or an App less"
elif [ -n "$memory" ] && [ "$memory" -lt 1700 ]; then
  more="a machine with 2 GiB or more"
  # Docker's limit ends a program that takes too much; the kernel alone lets the machine stand still for minutes before it does.
  [ -n "$worker" ] || [ "$memory" -lt 900 ] || more="$more, or OpenCode alone, with opencodeMemoryMiB $((memory * 2 / 3))"
  add warns memory "this machine has $memory MiB of memory; 2 GiB is the least that was tried, and 1 GiB for OpenCode alone" "$more"
fi

clock=$(date +%s)
written=$(stat -c %Y "$root/var/lib/dpkg/status" 2>/dev/null)
if [ -n "$operator_clock" ] && { [ $((clock - operator_clock)) -gt 30 ] || [ $((operator_clock - clock)) -gt 30 ]; }; then
  difference="$((clock - operator_clock)) s ahead of"
  [ "$clock" -gt "$operator_clock" ] || difference="$((operator_clock - clock)) s behind"
  add warns clock "this machine's clock is $difference yours; one-time codes fail from 30 s on" "timedatectl set-ntp true, and ntpServer where the default cannot be reached"
elif [ -n "$written" ] && [ "$clock" -lt $((written - 86400)) ]; then
  add blocks clock "this machine's clock says $(date -u +%Y-%m-%d), which is before its newest package was installed" "timedatectl set-ntp true, or: timedatectl set-time 'YYYY-MM-DD HH:MM:SS'"
elif [ "${container:-none}" = none ] && [ "$(ask timedatectl show -p NTPSynchronized --value)" = no ] &&
  awk '{ exit $1 < 900 }' "$root/proc/uptime" 2>/dev/null; then
  add warns clock "this machine's clock is not synchronised" "timedatectl timesync-status says why; ntpServer names another server"
fi

# Addresses of Docker's and of k3s's own bridges lead nowhere, nor do those of a VPN or of virtual machines without a route.
ipv6_alone() {
  [ -z "$(ask ip -4 -o address show scope global | awk '$2 !~ /^(docker|br-|veth|cni|flannel|cloudcode)/')" ] && [ -n "$(ask ip -6 -o address show scope global)" ] && return
  [ -z "$(ask ip -4 route show default)" ] && [ -n "$(ask ip -6 route show default)" ]
}
if ipv6_alone; then
  add blocks ipv4 "this machine has IPv6 alone, and Docker's networks are IPv4: no container would reach a registry, a certificate authority or a model" "an IPv4 address, also a private one behind NAT; or 464XLAT (clatd) where the network has NAT64"
fi

if [ -z "$ours$worker" ] && { [ ! -e "$root/proc/net/if_inet6" ] || [ "$(cat "$root/proc/sys/net/ipv6/conf/all/disable_ipv6" 2>/dev/null)" = 1 ]; }; then
  add warns ipv6 "IPv6 is off here: the Apps are served by IPv4 alone" "no AAAA record for the domain; or sysctl -w net.ipv6.conf.all.disable_ipv6=0"
fi
