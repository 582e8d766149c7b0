#!/bin/sh
# Part of install.sh, run within it: what looks after the host while nobody does.
# shellcheck disable=SC2154 # here, fail and the lower-case names are install.sh's and settings.sh's

install -m 755 "$here/cloudcode-host" "$here/cloudcode-check" "$here/cloudcode-backup" /opt/cloudcode/bin/

units=/etc/systemd/system
# shellcheck source=/dev/null
. "$here/backup-settings.sh"
if [ -n "$repository" ]; then
  command -v sqlite3 >/dev/null || apt_install sqlite3
  systemd-analyze calendar "$schedule" || fail "backupSchedule is not a calendar event that this host's systemd knows"
  install -d -m 700 /opt/cloudcode/backup
  for file in settings.sh env password ssh-key known-hosts; do
    install -m 600 "$here/backup-$file" "/opt/cloudcode/backup/$file"
  done
  install -m 644 "$here/cloudcode-backup.service" "$here/cloudcode-recover.service" $units/
  sed "s#@schedule@#$schedule#" "$here/cloudcode-backup.timer" >$units/cloudcode-backup.timer
  systemctl daemon-reload
  systemctl enable cloudcode-recover
  systemctl enable cloudcode-backup.timer
  systemctl restart cloudcode-backup.timer
elif [ -e $units/cloudcode-backup.timer ]; then
  systemctl disable --now cloudcode-backup.timer
  rm -rf $units/cloudcode-backup.* /opt/cloudcode/backup
  systemctl daemon-reload
fi
