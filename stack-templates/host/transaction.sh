# Changes of the machine's files that can be rolled back. Sourced by install.sh and by a worker's upkeep.sh.
#   change NAME         begins a change; there is one at a time; `changed` says whether it has changed anything yet
#   write FILE [MODE]   standard input becomes the file's content; owner and mode of one that is there stay unless MODE is given
#   drop FILE           removes it
#   enable_unit UNIT    has systemd start a unit of ours at boot
#   keep                commits the change
#   back                rolls back: restores all files, then undo_NAME has the services load them; halt_NAME runs first and stops
#                       services that would load half of them
# What stood there is on disk before anything is changed. A run that is cut off, by a crash or by a loss of power, therefore leaves
# its change open, and the next run begins with `undo_interrupted`.
# shellcheck shell=sh
state=/opt/cloudcode/host
journal=$state/change
units=/etc/systemd/system

change() {
  mkdir -p "$state"
  chmod 700 "$state"
  rm -rf "$journal.new"
  mkdir "$journal.new"
  echo "$1" >"$journal.new/name"
  : >"$journal.new/paths"
  sync "$journal.new/name" "$journal.new/paths"
  mv -T "$journal.new" "$journal"
  sync "$state"
}

changing() { [ -d "$journal" ]; }
changed() { [ -e "$journal/changed" ]; }

# A line of `paths` a file, in the order of the changes; the copy is named after the line, and missing where no file was.
remember() { # FILE
  ! grep -qxF "$1" "$journal/paths" || return 0
  # A folder that is not there either is a line of its own: it goes after what is in it.
  [ -d "$(dirname "$1")" ] || remember "$(dirname "$1")"
  line=$(($(wc -l <"$journal/paths") + 1))
  rm -f "$journal/$line"
  if [ -e "$1" ] || [ -L "$1" ]; then copy "$1" "$journal/$line"; fi
  { cat "$journal/paths" && printf '%s\n' "$1"; } >"$journal/paths.new"
  sync "$journal/paths.new"
  mv "$journal/paths.new" "$journal/paths"
  sync "$journal"
}

# The same file under a second name, which takes no space on a full disk: nothing here writes into a file that is there.
copy() {
  if [ -L "$1" ]; then cp -aT "$1" "$2"; else cp -alT "$1" "$2" 2>/dev/null || { cp -aT "$1" "$2" && sync "$2"; }; fi
}

# Hidden and with another ending, so that no program takes it for one of its files meanwhile.
temporary() { echo "$(dirname "$1")/.$(basename "$1").cloudcode"; }

place() { # TEMPORARY FILE
  [ -L "$1" ] || sync "$1"
  mv -fT "$1" "$2"
  sync "$(dirname "$2")"
}

# The file itself where a link leads to it.
real() { if [ -L "$1" ]; then readlink -m "$1"; else echo "$1"; fi; } # FILE

write() { # FILE [MODE]
  target=$(real "$1")
  remember "$target"
  mkdir -p "$(dirname "$target")"
  new=$(temporary "$target")
  rm -f "$new"
  if [ -e "$target" ]; then cp -a --attributes-only "$target" "$new"; else (umask 077 && : >"$new") && chmod 644 "$new"; fi
  [ -z "${2:-}" ] || chmod "$2" "$new"
  cat >"$new"
  if cmp -s "$new" "$target" && [ "$(stat -c %a "$new")" = "$(stat -c %a "$target")" ]; then
    rm "$new"
  else
    : >"$journal/changed"
    place "$new" "$target"
  fi
}

drop() { # FILE
  if [ -e "$1" ] || [ -L "$1" ]; then
    remember "$1"
    rm -f "$1"
    : >"$journal/changed"
  fi
}

enable_unit() { # UNIT
  sed -n 's/^WantedBy=//p' "$units/$1" | tr ' ' '\n' | while read -r target; do remember "$units/$target.wants/$1"; done
  systemctl enable "$1"
}

# Moved away first: half of the copies would be a rollback to a state that never was.
keep() {
  rm -rf "$journal.done"
  mv -T "$journal" "$journal.done"
  sync "$state"
  rm -rf "$journal.done"
}

# From the last to the first. May be interrupted and repeated: the copies stay until every file is restored.
files_back() {
  line=$(wc -l <"$journal/paths")
  while [ "$line" -gt 0 ]; do
    target=$(sed -n "${line}p" "$journal/paths")
    new=$(temporary "$target")
    rm -f "$new"
    if [ "$(stat -c %d:%i "$journal/$line" 2>/dev/null || echo none)" = "$(stat -c %d:%i "$target" 2>/dev/null)" ]; then
      : # it was never replaced
    elif [ -e "$journal/$line" ] || [ -L "$journal/$line" ]; then
      copy "$journal/$line" "$new" && place "$new" "$target"
    elif [ -d "$target" ] && [ ! -L "$target" ]; then
      rmdir "$target" 2>/dev/null || true
    else
      rm -f "$target"
    fi
    line=$((line - 1))
  done
}

back() {
  name=$(cat "$journal/name")
  if command -v "halt_$name" >/dev/null; then "halt_$name" || true; fi
  files_back
  if command -v "undo_$name" >/dev/null; then "undo_$name" || true; fi
  keep
}

# Two runs at once would undo each other: that of a connection that broke may still be at work.
alone() {
  mkdir -p "$state"
  chmod 700 "$state"
  exec 9>"$state/lock"
  flock -w 900 9 || fail "another installation has been running on this machine for 15 minutes"
}

undo_interrupted() {
  rm -rf "$journal.new" "$journal.done"
  if changing; then
    echo "an earlier run was cut off while it changed: $(cat "$journal/name")"
    back
  fi
}
