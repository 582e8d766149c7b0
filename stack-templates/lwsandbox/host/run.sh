#!/bin/sh
# Starts k3s, where there is more than one machine by the interface that holds its address now: at another boot it may have
# another name. Run by the service, with `server` or `agent` as argument.
folder=${0%/*} role=$1
shift
address=$(sed -n 's/^node-ip: //p' "$folder/config.yaml")
if [ -n "$address" ]; then
  interface=$(ip -o -4 address show | awk -v address="$address" '{ split($4, parts, "/"); if (parts[1] == address) { print $2; exit } }')
  if [ -z "$interface" ]; then
    echo "this machine does not hold the address $address" >&2
    exit 1
  fi
  set -- --flannel-iface "$interface"
fi
exec "$folder/bin/k3s" "$role" --config "$folder/config.yaml" "$@"
