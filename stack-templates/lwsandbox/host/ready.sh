#!/bin/sh
# Makes the machine ready for sandboxes: k3s from pinned files, and accounts in it that can do what liteboxd needs and no more.
# Run by cloudcode-host with the stack's folder as argument, next to settings.sh; every step is idempotent.
# shellcheck disable=SC2154 # the lower-case names come from settings.sh
set -eu
here=$(dirname "$0")
stack=$1
# shellcheck source=/dev/null
. "$here/settings.sh"
# shellcheck source=stack-templates/lwsandbox/host/k3s.sh
. "$here/k3s.sh"

# The cluster's state, the password by which it knows this machine, and its workers are in a volume: they outlive the machine,
# on whose successor k3s goes on with them.
docker volume create --label com.docker.compose.project=cloudcode-lwsandbox --label com.docker.compose.volume=cluster \
  cloudcode-lwsandbox_cluster >/dev/null || fail "Docker made no volume for the cluster"
cluster=$(docker volume inspect --format '{{.Mountpoint}}' cloudcode-lwsandbox_cluster)
keep() { # FOLDER NAME
  mkdir -p "$cluster/$2" "${1%/*}"
  [ -L "$1" ] || ln -s "$cluster/$2" "$1"
}
keep "$data/server" server
keep /etc/rancher/node node
keep "$folder/workers" workers

# With workers, k3s gets the address at which they reach this machine, and a token for agents, which cannot join as a server.
among_workers() {
  [ -n "$workers" ] || return 0
  address=${node_address:-$(ip -4 route get 192.0.2.1 | sed -n 's/.* src \([0-9.]*\).*/\1/p')}
  own_address "$address" ||
    fail "this machine does not hold the address $address itself, by which lwsandbox's workers would reach it: put them into one network, and set hostAddress to the host's address there"
  if [ ! -s "$cluster/agent-token" ]; then
    (umask 077 && head -c 32 /dev/urandom | sha256sum | cut -d ' ' -f 1 | tr -d '\n' >"$cluster/agent-token.new")
    mv "$cluster/agent-token.new" "$cluster/agent-token"
  fi
  printf 'node-ip: %s\nflannel-backend: wireguard-native\nagent-token-file: %s\n' "$address" "$cluster/agent-token"
}
own=$(among_workers)
install_k3s <<END
$(cat "$here/config.yaml")
$own
END
put 644 "$here/cloudcode-k3s.service" "$units/cloudcode-k3s.service"
install -m 755 "$here/worker.sh" "$folder/worker.sh"
# One of the two is the other kind of network between machines, which k3s never takes away.
ip link delete "$([ -n "$workers" ] && echo flannel.1 || echo flannel-wg)" 2>/dev/null || true
start_k3s

kubectl() { "$folder/bin/k3s" kubectl --kubeconfig "$folder/admin.yaml" --request-timeout 20s "$@"; }
pods() { kubectl get node cloudcode -o 'jsonpath={.spec.podCIDR}'; }
# A node may be ready before it has its part of the pods' network.
answers() { kubectl get --raw /readyz && kubectl wait --for condition=Ready --timeout 1s node/cloudcode && pods | grep -q /; }
until_ready answers

# The gateway's requests come to a worker from this machine's own address in the pods' network.
subnet=$(pods)
sed "s#HOST_IN_POD_NETWORK#${subnet%/*}/32#" "$here/cluster.yaml" | kubectl apply -f - || fail "the cluster refused liteboxd's accounts"

# A kubeconfig of its own for each: where it is mounted only the folder counts, so that a new one is seen.
access() { # ACCOUNT FOLDER
  tries=0
  until token=$(kubectl get secret "$1" -n liteboxd-system -o 'jsonpath={.data.token}') && [ -n "$token" ]; do
    tries=$((tries + 1))
    [ $tries -lt 30 ] || fail "k3s made no token for $1"
    sleep 1
  done
  mkdir -p "$stack/access/$2"
  (
    umask 077
    cat >"$stack/access/$2/kubeconfig.new" <<END
apiVersion: v1
kind: Config
clusters:
  - name: k3s
    cluster:
      server: https://$api_address:6443
      certificate-authority-data: $(kubectl get secret "$1" -n liteboxd-system -o 'jsonpath={.data.ca\.crt}')
users:
  - name: $1
    user: { token: $(printf '%s' "$token" | base64 -d) }
contexts:
  - name: k3s
    context: { cluster: k3s, user: $1, namespace: liteboxd-sandbox }
current-context: k3s
END
  )
  if cmp -s "$stack/access/$2/kubeconfig.new" "$stack/access/$2/kubeconfig"; then
    rm "$stack/access/$2/kubeconfig.new"
  else
    mv "$stack/access/$2/kubeconfig.new" "$stack/access/$2/kubeconfig"
    stale=yes
  fi
}
stale=
access liteboxd-server server
access liteboxd-gateway gateway
# Who runs already has read the old ones.
if [ -n "$stale" ]; then
  docker ps --quiet --filter label=com.docker.compose.project=cloudcode-lwsandbox | xargs -r docker restart
fi
echo "k3s $version is ready"
