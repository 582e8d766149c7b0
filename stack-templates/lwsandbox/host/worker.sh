#!/bin/sh
# Lets a worker into lwsandbox's cluster and takes it out again. Run by the program over SSH, on the host, as root.
#   worker.sh admit NAME ADDRESS   prints what it joins with, and nothing else
#   worker.sh token NAME           prints the same again
#   worker.sh dismiss NAME         its sandboxes end, within the time that Kubernetes gives them
set -eu
folder=/opt/cloudcode/k3s
action=$1 name=$2
exec 3>&1 >/dev/null

kubectl() { "$folder/bin/k3s" kubectl --kubeconfig "$folder/admin.yaml" --request-timeout 20s "$@"; }
# A machine of this name that is another one would not know the password that goes with it.
forget() {
  kubectl delete node "$name" --ignore-not-found
  kubectl delete secret "$name.node-password.k3s" --namespace kube-system --ignore-not-found
}
rule() { iptables -w "$1" CLOUDCODE-K3S -s "$2" -p tcp --dport 6443 -j RETURN; }

token() { cat /var/lib/rancher/k3s/server/agent-token >&3; }

case $action in
  admit)
    forget
    echo "$3" >"$folder/workers/$name"
    rule -C "$3" 2>/dev/null || rule -I "$3"
    token
    ;;
  token) token ;;
  dismiss)
    if kubectl get node "$name" >/dev/null 2>&1; then
      # A machine that is dead already cannot end its sandboxes; it is not waited for longer.
      kubectl drain "$name" --ignore-daemonsets --delete-emptydir-data --force --grace-period 30 --timeout 120s ||
        echo "$name could not be drained: what ran on it is gone" >&2
    fi
    forget
    if [ -e "$folder/workers/$name" ]; then
      rule -D "$(cat "$folder/workers/$name")" 2>/dev/null || true
      rm "$folder/workers/$name"
    fi
    ;;
esac
