# Part of cloudcode-backup, run within it: the data of a stack as it was before its format changed. A format is a number of the
# plan; a new one migrates the data of an old one in one direction only.
#   $formats/NAME/format       format of what is in the volumes; no file: 1
#   $formats/NAME/kept/        data of another format, as it was left:
#     format, release, time    which it is, the release that used it, when it was left (seconds since 1970)
#     snapshot, names          where it is in this backup, which volumes; else
#     volumes/VOLUME, mib      its volumes, and their size in MiB
#   $formats/NAME/former/      what was kept before the change that is under way
#   $formats/NAME/new/         what is being kept
#   $formats/.released         snapshots that the next backup need not keep any more
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

format_of() { cat "$formats/$1/format" 2>/dev/null || echo 1; } # NAME

# Whether the current release reads what is in $work/restore: it migrates an older format, and knows no newer one.
readable() { # NAME
  its=$(cat "$work/restore/stack/format" 2>/dev/null || echo 1) reads=$(plan "$1" format | cut -d ' ' -f 1)
  [ "$its" -le "${reads:-1}" ]
}

begin_new() { # NAME RELEASE
  rm -rf "$formats/$1/new"
  mkdir -p "$formats/$1/new/volumes"
  format_of "$1" >"$formats/$1/new/format"
  printf '%s\n' "$2" >"$formats/$1/new/release"
  date +%s >"$formats/$1/new/time"
}

# In words, for the operator.
where_kept() { # FOLDER
  if [ -e "$1/snapshot" ]; then
    echo "in the backup $(cut -c 1-8 "$1/snapshot")"
  else
    echo "on the host, $(cat "$1/mib") MiB"
  fi
}

# Before the first release of another format: the data goes on in the volumes, and a copy of it is kept. A copy on this host is made
# while the stack is stopped.
part() { # NAME RELEASE FORMAT SNAPSHOT VOLUME...: an empty SNAPSHOT is none
  name=$1 release=$2 becomes=$3 made=$4 own=$formats/$1
  shift 4
  begin_new "$name" "$release"
  if [ -n "$made" ]; then
    rmdir "$own/new/volumes"
    printf '%s\n' "$made" >"$own/new/snapshot"
    printf '%s\n' "$*" >"$own/new/names"
  else
    copy_volumes "$name" "$@"
  fi
  sync -f "$own"
  [ ! -d "$own/kept" ] || { rm -rf "$own/former" && mv "$own/kept" "$own/former"; }
  mv "$own/new" "$own/kept"
  printf '%s\n' "$becomes" >"$own/format"
  sync -f "$own"
  say "the data of $name has format $(cat "$own/kept/format"), and a copy of it is kept $(where_kept "$own/kept"); format $becomes comes next"
}

# Puts what `part` has kept back over what a release left that did not become healthy. Nothing of the stack runs then.
unpart() { # NAME
  name=$1
  recover
  kept_place "$name"
  put_kept "$name" "the data of $name could not be put back"
  say "the data of $name has format $(format_of "$name") again, as before the update"
}

# What is kept and what is in the volumes change places, volume by volume. Nothing of the stack runs then.
exchange() { # NAME RELEASE
  name=$1
  recover
  kept_place "$name"
  begin_new "$name" "$2"
  mib "$(size_of "$name" "$(ls "$place/volumes")")" >"$formats/$name/new/mib"
  put_kept "$name" "the kept data of $name could not be put in place; it runs with what it had" "$formats/$name/new/volumes"
  say "the data of $name has format $(format_of "$name") again, from the copy; what was written since, of format $(cat "$formats/$name/kept/format"), is kept $(where_kept "$formats/$name/kept")"
}

# The kept data, found by kept_place, replaces the stack's volumes, which are removed without ASIDE.
put_kept() { # NAME FAULT [ASIDE]
  halt "$1"
  trap 'recover; hide' EXIT
  journal_begins "$1" "$(cat "$formats/$1/kept/format")"
  swap "$1" "$place" "$origin" "${3-}" || fail "$2"
  trap hide EXIT
  journal_ends
}

# Where the kept data can be moved from: in $place, and in $origin again where it goes back to after a swap that fails.
kept_place() { # NAME
  kept=$formats/$1/kept
  [ -d "$kept" ] || fail "no data of another format is kept for $1"
  place=$kept origin=$kept/volumes
  [ -e "$kept/snapshot" ] || return 0
  [ -n "${repository-}" ] || fail "the data of $1 is kept $(where_kept "$kept"), and this stack has no backups: set backupRepository as it was, then pulumi up; nothing was touched"
  wait_others=5m
  repository_ready look
  place=$work/restore origin=''
  # shellcheck disable=SC2046 # names of volumes are words
  fetch "$1" "$(cat "$kept/snapshot")" $(cat "$kept/names")
}

# After a swap is certain. May be repeated: an interrupted one begins here.
changed_format() { # NAME FORMAT
  own=$formats/$1
  [ "$(cat "$own/kept/format" 2>/dev/null)" != "$2" ] || let_go "$own/kept"
  for next in new former; do
    [ -d "$own/kept" ] || [ ! -d "$own/$next" ] || mv "$own/$next" "$own/kept"
  done
  printf '%s\n' "$2" >"$own/format"
  sync -f "$own"
}

let_go() { # FOLDER
  cat "$1/snapshot" >>"$formats/.released" 2>/dev/null
  rm -rf "$1"
}

# The release of the new format is healthy: what was kept before is of no more use.
settled() { # NAME
  [ ! -d "$formats/$1/former" ] || let_go "$formats/$1/former"
}

# Without the word, what is kept; with it, all that is known of the stack's formats, since its volumes go too.
drop() { # NAME [all]
  exec 8>"$stacks/.$1.lock"
  locked "$1" 8 || fail "a change of $1 has been running for 900 s; nothing was touched"
  own=$formats/$1
  [ -n "${2-}" ] || [ -d "$own/kept" ] || fail "no data of another format is kept for $1"
  for folder in "$own/kept" "$own/former" "$own/new"; do [ ! -d "$folder" ] || let_go "$folder"; done
  [ -z "${2-}" ] || rm -rf "$own"
  [ -n "${2-}" ] || record "$1" drop-copy "" removed
  say "the kept data of $1 is deleted"
}

# Before old snapshots are removed, among which these count from now on.
release_snapshots() {
  [ -s "$formats/.released" ] || return 0
  # Without an id restic would mean all snapshots.
  ids=$(grep -xE '[0-9a-f]{8,64}' "$formats/.released") || return 0
  # shellcheck disable=SC2086 # ids are words
  if words=$(restic -- tag --quiet --remove kept-data $ids 2>&1); then
    rm -f "$formats/.released"
  else
    warn "snapshots that are not needed any more are still kept, which the next backup tries again: $(printf '%s' "$words" | tail -n 2)"
  fi
}
