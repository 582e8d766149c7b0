#!/bin/sh
# Before k3s comes to a worker: the look at the machine, and its security updates by themselves, both as on the host. Run by the
# program over SSH, as root, next to settings.sh and what host/ does for this.
set -eu
umask 022
export LC_ALL=C
here=$(dirname "$0")
trap '' HUP PIPE

# All that is in the way at once, before anything is touched.
LOOK_WAIT=600 sh -c "$(cat "$here/settings.sh" "$here"/[0-9]-*.sh)" look || exit 1

log=/var/log/cloudcode/upkeep.log
mkdir -p /var/log/cloudcode
chmod 700 /var/log/cloudcode
exec 3>&1 >"$log" 2>&1

say() { echo "cloudcode: $*" >&3; }
fail() {
  say "$*"
  exit 1
}
end() {
  code=$?
  set +e
  if [ $code -ne 0 ]; then
    { echo "last lines of $log:"; tail -n 15 "$log"; } >&3
    if changing; then back; fi
  fi
}
for part in settings transaction apt updates; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done
trap end EXIT
trap 'exit 143' INT TERM
alone
undo_interrupted

command -v apt-get >/dev/null || exit 0
move_sources
set_updates
say "updates are set"
