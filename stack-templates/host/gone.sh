#!/bin/sh
# Uninstalls from a machine that outlives the stack: the scheduled jobs and the secrets they use. Everything else stays.
set -eu
units=/etc/systemd/system
# A service, and the unit that starts it.
away() { # NAME timer|socket
  [ ! -e "$units/cloudcode-$1.$2" ] || systemctl disable --now "cloudcode-$1.$2"
  [ ! -e "$units/cloudcode-$1.service" ] || systemctl stop "cloudcode-$1.service"
  rm -f "$units/cloudcode-$1.$2" "$units/cloudcode-$1.service"
}
for name in name backup drill alert page news spot prune; do away "$name" timer; done
for port in 443 80; do away "moved-$port" socket; done
for name in updates space; do
  [ ! -e "$units/cloudcode-$name.service" ] || systemctl stop "cloudcode-$name.service"
  rm -f "$units/cloudcode-$name.service"
done
if [ -e $units/cloudcode-recover.service ]; then systemctl disable cloudcode-recover.service; fi
rm -f $units/cloudcode-recover.service
# Of guests whose time has not passed: nothing would be there for them to run.
systemctl stop 'cloudcode-guest-*.timer'
systemctl daemon-reload
rm -rf /run/cloudcode-spot /opt/cloudcode/name /opt/cloudcode/alerts /opt/cloudcode/backup /opt/cloudcode/notify /opt/cloudcode/space
