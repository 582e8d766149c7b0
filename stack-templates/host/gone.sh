#!/bin/sh
# Uninstalls from a machine that outlives the stack: the scheduled jobs and the secrets they use. Everything else stays.
set -eu
units=/etc/systemd/system
for name in name backup drill alert page news spot prune; do
  [ ! -e "$units/cloudcode-$name.timer" ] || systemctl disable --now "cloudcode-$name.timer"
  [ ! -e "$units/cloudcode-$name.service" ] || systemctl stop "cloudcode-$name.service"
  rm -f "$units/cloudcode-$name.timer" "$units/cloudcode-$name.service"
done
for name in updates space; do
  [ ! -e "$units/cloudcode-$name.service" ] || systemctl stop "cloudcode-$name.service"
  rm -f "$units/cloudcode-$name.service"
done
if [ -e $units/cloudcode-recover.service ]; then systemctl disable cloudcode-recover.service; fi
rm -f $units/cloudcode-recover.service
for port in 443 80; do
  [ ! -e "$units/cloudcode-moved-$port.socket" ] || systemctl disable --now "cloudcode-moved-$port.socket"
  [ ! -e "$units/cloudcode-moved-$port.service" ] || systemctl stop "cloudcode-moved-$port.service"
  rm -f "$units/cloudcode-moved-$port.socket" "$units/cloudcode-moved-$port.service"
done
# Of guests whose time has not passed: nothing would be there for them to run.
systemctl stop 'cloudcode-guest-*.timer'
systemctl daemon-reload
rm -rf /run/cloudcode-spot /opt/cloudcode/name /opt/cloudcode/alerts /opt/cloudcode/backup /opt/cloudcode/notify /opt/cloudcode/space
