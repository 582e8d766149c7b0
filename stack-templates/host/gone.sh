#!/bin/sh
# What ends with the stack on a machine that stays: what runs there by itself, and the secrets that it runs with. All else of the
# machine stays as it is.
set -eu
units=/etc/systemd/system
for name in name backup alert; do
  [ ! -e "$units/cloudcode-$name.timer" ] || systemctl disable --now "cloudcode-$name.timer"
  [ ! -e "$units/cloudcode-$name.service" ] || systemctl stop "cloudcode-$name.service"
  rm -f "$units/cloudcode-$name.timer" "$units/cloudcode-$name.service"
done
if [ -e $units/cloudcode-recover.service ]; then systemctl disable cloudcode-recover.service; fi
rm -f $units/cloudcode-recover.service
systemctl daemon-reload
rm -rf /opt/cloudcode/name /opt/cloudcode/alerts /opt/cloudcode/backup
