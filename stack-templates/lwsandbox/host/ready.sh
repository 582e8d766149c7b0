#!/bin/sh
# Makes the machine ready for sandboxes: k3s from pinned files, and accounts in it that can do what liteboxd needs and no more.
# Run by cloudcode-host, beside settings.sh and with the stack's folder as argument; every step looks before it acts.
# shellcheck disable=SC2154 # the lower-case names come from settings.sh
set -eu
here=$(dirname "$0")
stack=$1
# shellcheck source=/dev/null
. "$here/settings.sh"
folder=/opt/cloudcode/k3s
data=/var/lib/rancher/k3s
units=/etc/systemd/system
wait_seconds=300

fail() {
  echo "cloudcode: $*" >&2
  exit 1
}

[ "$(uname -m)" = x86_64 ] || fail "lwsandbox needs an x86-64 machine: liteboxd has images for no other; this one is $(uname -m)"
for unit in k3s k3s-agent kubelet rke2-server microk8s; do
  [ ! -e "$units/$unit.service" ] || fail "this machine already runs a Kubernetes of its own ($unit.service): lwsandbox needs another machine"
done

# Continues what a broken connection left, and puts a file in its place only once it is whole and the pinned one.
download() { # NAME SHA256
  file=$folder/$version/$1
  genuine "$file" "$2" && return 0
  genuine "$file.part" "$2" ||
    timeout 15m curl -fsSL --retry 3 --connect-timeout 20 --speed-limit 1000 --speed-time 60 -C - -o "$file.part" "$url/$1" ||
    fail "$url/$1 cannot be downloaded to this machine: set lwsandboxK3sUrl to a folder that holds k3s's files; what arrived is continued next time"
  genuine "$file.part" "$2" || { rm -f "$file.part" && fail "$url/$1 is not the file of k3s $version that is pinned: its checksum differs"; }
  mv "$file.part" "$file"
}
genuine() { [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status; }

changed=
put() { # MODE SOURCE TARGET
  cmp -s "$2" "$3" && return 0
  install -D -m "$1" "$2" "$3.new" && mv "$3.new" "$3"
  changed=yes
}

mkdir -p "$folder/$version" "$folder/bin" "$data/agent/images"
chmod 700 "$folder"

# The cluster's state, and the password by which it knows this machine, are in a volume: they outlive the machine, on whose
# successor k3s goes on with them.
docker volume create --label com.docker.compose.project=cloudcode-lwsandbox --label com.docker.compose.volume=cluster \
  cloudcode-lwsandbox_cluster >/dev/null || fail "Docker made no volume for the cluster"
cluster=$(docker volume inspect --format '{{.Mountpoint}}' cloudcode-lwsandbox_cluster)
keep() { # FOLDER NAME
  mkdir -p "$cluster/$2" "${1%/*}"
  [ -L "$1" ] || ln -s "$cluster/$2" "$1"
}
keep "$data/server" server
keep /etc/rancher/node node

download k3s "$binary_sha256"
download k3s-airgap-images-amd64.tar.zst "$images_sha256"
put 755 "$folder/$version/k3s" "$folder/bin/k3s"
put 644 "$folder/$version/k3s-airgap-images-amd64.tar.zst" "$data/agent/images/k3s-airgap-images-amd64.tar.zst"
put 600 "$here/config.yaml" "$folder/config.yaml"
put 600 "$here/registries.yaml" "$folder/registries.yaml"
put 755 "$here/firewall" "$folder/firewall"
put 644 "$here/cloudcode-k3s.service" "$units/cloudcode-k3s.service"
for old in "$folder"/v*; do [ "$old" = "$folder/$version" ] || rm -rf "$old"; done

systemctl daemon-reload
systemctl enable cloudcode-k3s
if [ -n "$changed" ] || ! systemctl is-active --quiet cloudcode-k3s; then systemctl restart --no-block cloudcode-k3s; fi

kubectl() { "$folder/bin/k3s" kubectl --kubeconfig "$folder/admin.yaml" --request-timeout 20s "$@"; }
tries=0
until kubectl get --raw /readyz && kubectl wait --for condition=Ready --timeout 1s node/cloudcode; do
  tries=$((tries + 1))
  [ $tries -lt $((wait_seconds / 2)) ] ||
    fail "k3s did not become ready within $wait_seconds s: $(journalctl -u cloudcode-k3s -n 5 --no-pager -o cat)"
  sleep 2
done

kubectl apply -f "$here/cluster.yaml" || fail "the cluster refused liteboxd's accounts"

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
