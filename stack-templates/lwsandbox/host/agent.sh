#!/bin/sh
# Makes this machine a worker of lwsandbox's cluster. Run by the program over SSH, as root, next to the files of its release, whose
# only secret is what it joins with. Every step looks before it acts.
#   agent.sh NAME HOST ADDRESS ADMISSION   by which addresses the host and itself reach each other; what changes when it is admitted
# shellcheck disable=SC2154,SC2034 # the lower-case names come from settings.sh
set -eu
here=$(dirname "$0")
name=$1 host=$2 address=$3 admission=$4
# shellcheck source=/dev/null
. "$here/settings.sh"
# shellcheck source=stack-templates/lwsandbox/host/k3s.sh
. "$here/k3s.sh"

[ ! -e /opt/cloudcode/bin/cloudcode-host ] || fail "$address is a host of cloudcode itself: lwsandbox's workers need machines of their own"
for tool in curl iptables ip6tables ip; do command -v $tool >/dev/null || missing=yes; done
if [ -n "${missing:-}" ]; then
  command -v apt-get >/dev/null || fail "this machine needs curl, iptables and iproute2"
  # A source of another owner that no longer answers does not matter as long as these come from one that does.
  sources=$(apt-get -o DPkg::Lock::Timeout=600 -qq update 2>&1) || true
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq install -y --no-install-recommends --no-remove \
    ca-certificates curl iproute2 iptables >/dev/null || fail "curl, iptables and iproute2 could not be installed${sources:+; apt said: $(echo "$sources" | head -n 2)}"
fi
own_address "$address" ||
  fail "this machine does not hold the address $address itself, by which the host would reach it: put both into one network, and name it by its address there"

mkdir -p "$folder"
head -n 1 "$here/secrets" | tr -d '\n' >"$folder/token.wanted"
# https://docs.k3s.io/cli/agent
install_k3s <<END
server: https://$host:6443
token-file: $folder/token
node-name: $name
node-ip: $address
private-registry: $folder/registries.yaml
END
put 600 "$folder/token.wanted" "$folder/token"
rm "$folder/token.wanted"
sed 's#/run.sh server$#/run.sh agent#' "$here/cloudcode-k3s.service" >"$folder/service.wanted"
put 644 "$folder/service.wanted" "$units/cloudcode-k3s.service"
install -m 755 "$here/gone.sh" "$folder/gone.sh"
# A machine that is admitted again must report again that it is there.
[ "$(cat "$folder/admission" 2>/dev/null)" = "$admission" ] || changed=yes
start_k3s
until_ready systemctl is-active --quiet cloudcode-k3s
printf '%s\n' "$admission" >"$folder/admission"
echo "$name is a worker"
