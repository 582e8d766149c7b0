# Steps that a host and its workers share to run k3s. Sourced by ready.sh and agent.sh, after settings.sh, from the same folder.
# shellcheck shell=sh disable=SC2034,SC2154 # the names come from settings.sh and go to the scripts that read this
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

# By which the other machines of the cluster reach this one.
own_address() { ip -o -4 address show | awk '{ sub("/.*", "", $4); print $4 }' | grep -qxF "$1"; }

# Configuration of k3s on standard input.
install_k3s() {
  mkdir -p "$folder/$version" "$folder/bin" "$data/agent/images"
  chmod 700 "$folder"
  sed '/^$/d' >"$folder/config.wanted"
  # Else containerd asks the registry itself where its mirror fails (https://docs.k3s.io/installation/private-registry#default-endpoint-fallback).
  [ -z "${mirrors_only:-}" ] || echo 'disable-default-registry-endpoint: true' >>"$folder/config.wanted"
  download k3s "$binary_sha256"
  download k3s-airgap-images-amd64.tar.zst "$images_sha256"
  put 755 "$folder/$version/k3s" "$folder/bin/k3s"
  put 644 "$folder/$version/k3s-airgap-images-amd64.tar.zst" "$data/agent/images/k3s-airgap-images-amd64.tar.zst"
  put 600 "$folder/config.wanted" "$folder/config.yaml"
  put 600 "$here/registries.yaml" "$folder/registries.yaml"
  put 755 "$here/firewall" "$folder/firewall"
  put 755 "$here/run.sh" "$folder/run.sh"
  for old in "$folder"/v*; do [ "$old" = "$folder/$version" ] || rm -rf "$old"; done
}

start_k3s() {
  systemctl daemon-reload
  systemctl enable cloudcode-k3s
  if [ -n "$changed" ] || ! systemctl is-active --quiet cloudcode-k3s; then systemctl restart --no-block cloudcode-k3s; fi
}

until_ready() { # COMMAND...
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt $((wait_seconds / 2)) ] ||
      fail "k3s did not become ready within $wait_seconds s: $(journalctl -u cloudcode-k3s -n 5 --no-pager -o cat)"
    sleep 2
  done
}
