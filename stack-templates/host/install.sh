#!/bin/sh
# Prepares a machine for Compose stacks. Every step is idempotent, is checked by its effect, and is rolled back when it fails
# (transaction.sh).
# Run as root, next to settings.sh and daemon.json.
# shellcheck disable=SC2154,SC2034 # the lower-case names come from settings.sh and go to the parts
set -eu
umask 022
export LC_ALL=C
here=$(dirname "$0")
# shellcheck source=/dev/null
. "$here/settings.sh"
# shellcheck source=/dev/null
. /etc/os-release

parts() {
  for part in transaction apt wall docker machine ssh operations updates name; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
  done
}
# Messages for the operator; those of a run that continues go to standard error.
say() { echo "cloudcode: $*" >&4; }
fail() {
  echo "cloudcode: $*" >&3
  exit 1
}
exec 3>&1 4>&2
# A run outlives the connection that started it: it completes or is rolled back.
trap '' HUP PIPE

# The operator's connection: address and port of both ends. sudo removes it from the environment, but not from that of its parents.
process=$$ connection=${SSH_CONNECTION:-}
while [ -z "$connection" ] && [ "${process:-0}" -gt 1 ]; do
  connection=$(tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
  process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null) || process=
done
login_user=${SUDO_USER:-root}
# shellcheck disable=SC2086 # four words
set -- $connection
client=${1:-} server_address=${3:-} server_port=${4:-$ssh_port}

# A run that is at work is waited for, and an interrupted one is rolled back, so that the checks see no machine in the middle of a change.
locked=
if [ -d /opt/cloudcode/host ]; then
  mkdir -p /var/log/cloudcode
  parts
  { alone && undo_interrupted; } >>/var/log/cloudcode/host.log 2>&1
  locked=yes
fi

# Before anything is touched: one report of all that is in the way. The same script as `ops doctor --host` sends.
LOOK_WAIT=600 sh -c "$(cat "$here/settings.sh" "$here"/look/*.sh)" look || exit 1

log=/var/log/cloudcode/host.log
mkdir -p /var/log/cloudcode /opt/cloudcode/bin /opt/cloudcode/stacks
# Files of a release belong to the uid that their container runs as, which may be a person's on this machine. Containers see
# them by mounts that Docker makes as root.
chmod 700 /var/log/cloudcode /opt/cloudcode/stacks
exec >"$log" 2>&1

# A change that any command left half done is rolled back.
end() {
  code=$?
  set +e
  if [ $code -ne 0 ]; then
    { echo "last lines of $log:"; tail -n 15 "$log"; } >&3
    if changing; then back && echo "cloudcode: what this step had changed is as before" >&3; fi
  fi
}
[ -n "$locked" ] || { parts && alone; }
trap end EXIT
trap 'exit 143' INT TERM
undo_interrupted

[ -z "$data_disk" ] || mount_data_disk
move_sources
install_engine
# Before the next start of Docker, and so of any container.
set_firewall
configure_docker
set_swap
set_time
keys_only
install_programs
set_standby
set_backups
set_alerts
set_page
set_space
set_notify
set_spot
set_updates
set_name
echo "host is ready: $(docker --version), Compose $(docker compose version --short)" >&3
