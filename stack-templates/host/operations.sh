# Backups, self-check, index page, old images, news and the notice of a spot machine: the scheduled jobs of a host. Sourced by install.sh.
# shellcheck shell=sh disable=SC2154 # here, fail and the lower-case names are install.sh's, transaction.sh's and settings.sh's

undo_programs() { systemctl daemon-reload; }
undo_backups() { load_timers backup drill; }
undo_alerts() { load_timers alert; }
undo_page() { load_timers page; }
undo_spot() { load_timers spot; }
undo_space() { load_timers prune; }
undo_notify() { load_timers news; }

# After a rollback: timers that are there run as their files say.
load_timers() { # NAME...
  systemctl daemon-reload
  for timer; do ! [ -e "$units/cloudcode-$timer.timer" ] || systemctl restart "cloudcode-$timer.timer"; done
}

# Writes unit files as the release has them.
write_units() { # UNIT...
  for unit; do write "$units/$unit" <"$here/$unit"; done
}

# Has a timer of ours run, now and after each boot, once its files are there.
begin_timer() { # NAME start|restart WORDS
  systemctl daemon-reload
  enable_unit "cloudcode-$1.timer"
  systemctl "$2" "cloudcode-$1.timer" || fail "the timer of $3 does not start: $(systemctl status --no-pager "cloudcode-$1.timer" | tail -n 1)"
}

# Uninstalls a timer, the service it starts, and the file that this one reads.
give_back() { # NAME FOLDER [PROGRAM]
  end_timer "$1" "${3:-}"
  keep
  rm -rf "$2"
}

end_timer() { # NAME [PROGRAM]
  [ -e "$units/$1.timer" ] || return 0
  systemctl disable --now "$1.timer"
  drop "$units/$1.timer"
  drop "$units/$1.service"
  [ -z "${2:-}" ] || drop "$2"
  systemctl daemon-reload
}

install_programs() {
  change programs
  parts="check-space.sh start-first.sh host-words.sh host-compose.sh host-format.sh host-live.sh host-apply.sh host-power.sh host-remove.sh backup-volumes.sh backup-save.sh backup-restic.sh backup-restore.sh backup-swap.sh backup-format.sh backup-drill.sh backup-drill-stack.sh backup-move.sh gone.sh"
  # First what the programs read.
  for part in $parts newest-listener.pl measure.pl drill.jq; do write "/opt/cloudcode/bin/$part" <"$here/$part"; done
  for part in __main__ copies database lists place proof; do write /opt/cloudcode/bin/volumes/$part.py <"$here/volumes/$part.py"; done
  for program in cloudcode-host cloudcode-check cloudcode-backup cloudcode-page cloudcode-space cloudcode-guest cloudcode-notify; do write /opt/cloudcode/bin/$program 755 <"$here/$program"; done
  for file in cloudcode-host cloudcode-check cloudcode-backup cloudcode-page cloudcode-space cloudcode-guest cloudcode-notify $parts; do sh -n "/opt/cloudcode/bin/$file" || fail "/opt/cloudcode/bin/$file did not arrive completely"; done
  # Also without backups: a change of the data's format moves volumes, too.
  write_units cloudcode-recover.service
  systemctl daemon-reload
  enable_unit cloudcode-recover.service
  keep
}

# cloudcode-host reads it.
set_standby() {
  change standby
  if [ -n "$standby" ]; then echo yes | write /opt/cloudcode/stacks/.standby; else drop /opt/cloudcode/stacks/.standby; fi
  keep
}

set_backups() {
  # shellcheck source=/dev/null
  . "$here/backup-settings.sh"
  # Both use the distribution's SQLite: Python for copies of databases, sqlite3 for the operator.
  [ -z "$repository" ] || { python3 -c 'import sqlite3' && command -v sqlite3; } >/dev/null 2>&1 || apt_install python3 sqlite3
  [ -z "$repository" ] || systemd-analyze calendar "$schedule" || fail "backupSchedule is not a calendar event that this host's systemd knows"
  [ -z "$repository" ] || [ -z "$drill_schedule" ] || systemd-analyze calendar "$drill_schedule" ||
    fail "drillSchedule is not a calendar event that this host's systemd knows"
  change backups
  if [ -n "$repository" ]; then
    for file in settings.sh env password ssh-key known-hosts; do write "/opt/cloudcode/backup/$file" 600 <"$here/backup-$file"; done
    chmod 700 /opt/cloudcode/backup
    write_units cloudcode-backup.service
    sed "s#@schedule@#$schedule#" "$here/cloudcode-backup.timer" | write "$units/cloudcode-backup.timer"
    begin_timer backup restart "the backups"
    if [ -n "$drill_schedule" ]; then
      write_units cloudcode-drill.service
      sed "s#@schedule@#$drill_schedule#" "$here/cloudcode-drill.timer" | write "$units/cloudcode-drill.timer"
      begin_timer drill restart "the drills"
    else
      end_timer cloudcode-drill
    fi
    keep
  else
    end_timer cloudcode-drill
    give_back cloudcode-backup /opt/cloudcode/backup
  fi
}

set_alerts() {
  change alerts
  if [ -s "$here/alert-webhook.conf" ] || [ -s "$here/alert-mail.conf" ]; then
    for file in webhook.conf mail.conf; do write "/opt/cloudcode/alerts/$file" 600 <"$here/alert-$file"; done
    chmod 700 /opt/cloudcode/alerts
    write /opt/cloudcode/bin/cloudcode-alert 755 <"$here/cloudcode-alert"
    write_units cloudcode-alert.service cloudcode-alert.timer
    begin_timer alert start "the alerts"
    keep
  else
    give_back cloudcode-alert /opt/cloudcode/alerts
  fi
}

set_page() {
  change page
  write_units cloudcode-updates.service cloudcode-page.service cloudcode-page.timer
  begin_timer page restart "the index page"
  keep
}

set_space() {
  change space
  mkdir -p /opt/cloudcode/space
  write_units cloudcode-space.service cloudcode-prune.service cloudcode-prune.timer
  begin_timer prune start "the removal of old images"
  keep
}

set_notify() {
  change notify
  if [ -n "$notify" ]; then
    mkdir -p /opt/cloudcode/notify
    chmod 700 /opt/cloudcode/notify
    write /opt/cloudcode/bin/cloudcode-news 755 <"$here/cloudcode-news"
    write_units cloudcode-news.service cloudcode-news.timer
    begin_timer news start "the notifier's self-check"
    keep
  else
    give_back cloudcode-news /opt/cloudcode/notify /opt/cloudcode/bin/cloudcode-news
  fi
}

# On a machine that the cloud may take back with a notice.
set_spot() {
  change spot
  if [ -n "$spot" ]; then
    write /opt/cloudcode/bin/cloudcode-spot 755 <"$here/cloudcode-spot"
    sh -n /opt/cloudcode/bin/cloudcode-spot || fail "/opt/cloudcode/bin/cloudcode-spot did not arrive completely"
    write_units cloudcode-spot.service cloudcode-spot.timer
    begin_timer spot start "the notice of a spot machine"
    keep
  else
    give_back cloudcode-spot /run/cloudcode-spot /opt/cloudcode/bin/cloudcode-spot
  fi
}
