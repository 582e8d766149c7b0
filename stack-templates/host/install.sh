#!/bin/sh
# Makes a fresh machine ready for Compose stacks, and a ready one stays as it is: every step looks before it acts, is judged by its
# effect, and is undone when it fails (transaction.sh).
# Run as root beside settings.sh and daemon.json.
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
# Words for the operator: on standard error those of a run that goes on.
say() { echo "cloudcode: $*" >&4; }
fail() {
  echo "cloudcode: $*" >&3
  exit 1
}
exec 3>&1 4>&2
# A run outlives the connection that began it: what was begun comes to its end or is undone.
trap '' HUP PIPE

# How the operator came in: address and port of both ends. sudo keeps it from the environment, but not from the processes before.
process=$$ connection=${SSH_CONNECTION:-}
while [ -z "$connection" ] && [ "${process:-0}" -gt 1 ]; do
  connection=$(tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
  process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null) || process=
done
login_user=${SUDO_USER:-root}
# shellcheck disable=SC2086 # four words
set -- $connection
client=${1:-} server_address=${3:-} server_port=${4:-$ssh_port}

# What an earlier run was cut off at is put back first, so that the machine is looked at as it was.
[ ! -d /opt/cloudcode/host/change ] || (parts && alone && undo_interrupted) >>/var/log/cloudcode/host.log 2>&1

# Before anything is touched: all that is in the way at once. One script of parts, as `ops doctor --host` sends it.
LOOK_WAIT=600 sh -c "$(cat "$here/settings.sh" "$here"/look/*.sh)" look || exit 1

log=/var/log/cloudcode/host.log
mkdir -p /var/log/cloudcode /opt/cloudcode/bin /opt/cloudcode/stacks
# Files of a release belong to the uid that their container runs as, which may be a person's on this machine. Containers see
# them by mounts that Docker makes as root.
chmod 700 /var/log/cloudcode /opt/cloudcode/stacks
exec >"$log" 2>&1

# What a failure has left half done is undone, whichever command it was.
end() {
  code=$?
  set +e
  if [ $code -ne 0 ]; then
    { echo "last lines of $log:"; tail -n 15 "$log"; } >&3
    if changing; then back && echo "cloudcode: what this step had changed is as before" >&3; fi
  fi
}
parts
alone
trap end EXIT
trap 'exit 143' INT TERM
undo_interrupted

[ -z "$data_disk" ] || mount_data_disk
install_engine
# Before Docker's next start, and so before any container's.
set_firewall
configure_docker
set_swap
set_time
keys_only
install_programs
set_backups
set_alerts
set_updates
set_name
echo "host is ready: $(docker --version), Compose $(docker compose version --short)" >&3
