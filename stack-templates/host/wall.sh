# The rules of the machine's packet filter. Sourced by install.sh.
# shellcheck shell=sh disable=SC2154 # here, units, fail and the lower-case names are install.sh's and transaction.sh's

undo_firewall() {
  systemctl daemon-reload
  if [ -x /opt/cloudcode/bin/firewall ]; then
    systemctl restart cloudcode-firewall
  else
    sed -e "s#@ssh_port@#$server_port#" -e "s#@ssh_cidrs@##" "$here/firewall" | sh
  fi
}
set_firewall() {
  change firewall
  sed -e "s#@ssh_port@#$server_port#" -e "s#@ssh_cidrs@#$ssh_cidrs#" "$here/firewall" | write /opt/cloudcode/bin/firewall 755
  write "$units/cloudcode-firewall.service" <"$here/cloudcode-firewall.service"
  systemctl daemon-reload
  enable_unit cloudcode-firewall.service
  systemctl restart cloudcode-firewall || fail "the firewall rules could not be set: $(journalctl -u cloudcode-firewall -n 3 --no-pager -o cat | paste -sd ' ')"
  iptables -w -t mangle -C FORWARD -j CLOUDCODE-METADATA || fail "containers could reach the cloud's metadata: FORWARD does not lead to the rule against it"
  keep
}
