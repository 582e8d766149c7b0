#!/bin/sh
# Part of install.sh, run within it: what looks after the host while nobody does.
# shellcheck disable=SC2154 # here, fail and the lower-case names are install.sh's and settings.sh's

install -m 755 "$here/cloudcode-host" "$here/cloudcode-check" "$here/cloudcode-backup" /opt/cloudcode/bin/
install -m 644 "$here/beside.sh" /opt/cloudcode/bin/

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

if [ -s "$here/alert-webhook.conf" ] || [ -s "$here/alert-mail.conf" ]; then
  install -d -m 700 /opt/cloudcode/alerts
  for file in webhook.conf mail.conf; do install -m 600 "$here/alert-$file" "/opt/cloudcode/alerts/$file"; done
  install -m 755 "$here/cloudcode-alert" /opt/cloudcode/bin/
  install -m 644 "$here/cloudcode-alert.service" "$here/cloudcode-alert.timer" $units/
  systemctl daemon-reload
  systemctl enable --now cloudcode-alert.timer
elif [ -e $units/cloudcode-alert.timer ]; then
  systemctl disable --now cloudcode-alert.timer
  rm -rf $units/cloudcode-alert.* /opt/cloudcode/alerts
  systemctl daemon-reload
fi

updates=/etc/apt/apt.conf.d/60cloudcode-updates
if [ "$automatic_updates" = true ]; then
  command -v unattended-upgrade >/dev/null || apt_install unattended-upgrades
  reboot=false
  [ -z "$reboot_time" ] || reboot=true
  cat >$updates <<END
// What may be installed by itself stands in 50unattended-upgrades: the distribution's security updates.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "$reboot";
Unattended-Upgrade::Automatic-Reboot-Time "${reboot_time:-now}";
END
  systemctl enable --now apt-daily.timer apt-daily-upgrade.timer
else
  rm -f $updates
fi
