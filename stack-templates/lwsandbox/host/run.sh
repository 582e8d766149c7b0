#!/bin/sh
# Starts k3s, where there is more than one machine by the interface that holds its address now: at another boot it may have
# another name. Run by the service, with `server` or `agent` as argument.
folder=${0%/*}
address=$(sed -n 's/^node-ip: //p' "$folder/config.yaml")
[ -z "$address" ] || interface=$(ip -o -4 address show | awk -v address="$address" '{ split($4, parts, "/"); if (parts[1] == address) { print $2; exit } }')
if [ -n "$address" ] && [ -z "$interface" ]; then
  echo "this machine does not hold the address $address" >&2
  exit 1
fi
exec "$folder/bin/k3s" "$1" --config "$folder/config.yaml" ${interface:+--flannel-iface "$interface"}
