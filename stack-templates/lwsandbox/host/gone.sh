#!/bin/sh
# Takes k3s and all sandboxes from the machine; the cluster's images stay unless the argument is delete-data, and its state as
# long as its volume does.
# Run by cloudcode-host; nothing of Docker's is touched.
set -u
folder=/opt/cloudcode/k3s
data=/var/lib/rancher/k3s
units=/etc/systemd/system
cgroups=/sys/fs/cgroup

systemctl disable --now cloudcode-k3s 2>/dev/null
# What outlives k3s itself: the pods, and the shims that hold them; by control groups of either version, and again for what
# was born meanwhile.
for _ in 1 2 3 4 5; do
  find "$cgroups" \( -path '*/kubepods*' -o -path '*/cloudcode-k3s.service*' \) -name cgroup.procs -exec cat {} + 2>/dev/null |
    sort -u | xargs -r kill -9
done
awk '$2 ~ "^(/run/k3s|/var/lib/rancher/k3s|/var/lib/kubelet|/run/netns/cni-)" { print $2 }' /proc/mounts | sort -r |
  while read -r mount; do umount "$mount" || umount --lazy "$mount"; done
ip netns list 2>/dev/null | awk '/^cni-/ { print $1 }' | while read -r name; do ip netns delete "$name"; done
for interface in cni0 flannel.1 flannel-wg; do ip link delete "$interface" 2>/dev/null; done

# One transaction for each table that touches only chains of k3s and of its firewall, and the rules that lead to them.
for program in iptables ip6tables; do
  "$program-save" | awk -v own='^(KUBE|CNI|FLANNEL)-|^CLOUDCODE-K3S$' '
    function done() {
      if (!named) return
      printf "%s\n%s%s", table, flushed, dropped
      for (i = 1; i <= chains; i++) print "-X " chain[i]
      print "COMMIT"
    }
    /^\*/ { table = $0; flushed = dropped = ""; chains = named = 0 }
    /^:/ { name = substr($1, 2); if (name ~ own) { chain[++chains] = name; flushed = flushed "-F " name "\n"; named = 1 } }
    /^-A/ {
      if ($2 ~ own) next
      for (i = 3; i < NF; i++) if ($i == "-j" && $(i + 1) ~ own) { sub(/^-A/, "-D"); dropped = dropped $0 "\n"; break }
    }
    /^COMMIT/ { done() }' | "$program-restore" --noflush --wait
done

rm -f "$units/cloudcode-k3s.service"
systemctl daemon-reload
rm -rf "$folder" /var/lib/kubelet /var/lib/cni /run/k3s /run/flannel
[ "$1" != delete-data ] || rm -rf "$data" /etc/rancher/node
[ ! -e "$units/cloudcode-k3s.service" ] && ! systemctl is-active --quiet cloudcode-k3s
