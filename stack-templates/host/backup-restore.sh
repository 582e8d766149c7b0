# Part of cloudcode-backup, run within it: what puts data back, and what gives it to another host.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

newer() { # NAME TIME
  show "$1" "$work/none" || fail "the volumes of $1 cannot be mounted for reading"
  newest=$(worker "newest $2" --cap-add DAC_READ_SEARCH --mount "$(mount_option "$work/view" /volumes),readonly") ||
    fail "the data of $1 cannot be looked at: see $logs/backup.log"
  [ -n "$newest" ] || return 0
  say "$1 has data that is newer than the snapshot; the newest: $newest"
  exit 3
}

# A line of the host's history: who, which stack, what was done with which snapshot or stack, what came of it.
record() { # NAME ACTION WHICH RESULT
  {
    # Held by cloudcode-host for its own lines, too: they stand in the order of their times.
    flock 6
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${CLOUDCODE_OPERATOR:-root}" "$1" "$2" "$3" "$4" >&6
  } 6>>"$stacks/.history"
}

halt() { # NAME: all its containers, also of a release that is not the current one, each with the time its compose file gives it
  running=$(docker ps --quiet --filter "label=com.docker.compose.project=cloudcode-$1")
  # shellcheck disable=SC2086 # ids are words
  [ -z "$running" ] || docker stop $running >/dev/null 2>&1
  [ ! -e "$stacks/$1/machine/halt.sh" ] || sh "$stacks/$1/machine/halt.sh" </dev/null >/dev/null 2>&1
}

# What the stack needs of the machine in addition to Docker runs again first.
start() { # NAME ARGUMENT...
  rm -rf "$stacks/$1/stopped"
  [ ! -e "$stacks/$1/machine/ready.sh" ] || timeout 25m sh "$stacks/$1/machine/ready.sh" "$stacks/$1" </dev/null || return 1
  started=$1
  shift
  compose "$started" up --detach --no-build "$@"
}

overwrite() { # NAME SNAPSHOT
  name=$1
  recover
  wait_others=5m
  repository_ready look
  [ -n "$(volumes "$name")" ] || fail "$name has no data on this host: pulumi up makes its place first"
  # Whatever is there now can be had back; what a sick new version left is not worth it.
  [ "${CLOUDCODE_HOLDS:-}" = "$name" ] || [ -e "$stacks/.standby" ] || save "$name" before-restore
  place=$work/restore
  fetch "$name" "$2"
  readable "$name" || fail "snapshot $2 has data of a newer format than the release of $name that runs here can read: set that version first, then pulumi up; nothing was touched"
  exec 8>"$stacks/.$name.lock"
  locked "$name" 8 || fail "a change of $name has been running for 900 s; nothing was touched"
  trap 'recover; hide' EXIT
  halt "$name"
  journal_begins "$name"
  swap "$name" "$place" || fail "the data of snapshot $2 could not be put in place; $name runs with what it had"
  rm -f "$stacks/$name/given" "$stacks/$name/yielded"
  unforward "$name"
  # Not into a pipe: what outlives this script when it is killed would wait on it, with the lock that recover needs.
  { load "$name" "$place" && start "$name" --wait --wait-timeout "$(plan "$name" timeout)" --remove-orphans; } >"$work/said" 2>&1 ||
    fail "$name did not become healthy with the data of snapshot $2, and runs with what it had: $(tail -n 3 "$work/said")"
  trap hide EXIT
  journal_ends
  printf '%s\n' "$2" >"$stacks/$name/arrived"
  record "$name" restore "$2" running
  say "$name runs with the data of snapshot $2"
}

# The volumes of a snapshot, or these of them, in $work/restore.
fetch() { # NAME SNAPSHOT [VOLUME...]
  from=$2 before=$work/ahead/$1 which=''
  shift 2
  for volume in "$@"; do
    for kind in volumes dumps databases sparse; do which="$which --include /$kind/$volume"; done
  done
  # shellcheck disable=SC2086 # words
  if [ -n "$which" ]; then unpack "$from" $which; else take "$from"; fi
  put_databases "$from"
}

# All that a restore needs of a snapshot; on top of an earlier one of the same stack in $before, of which only what is equal stays.
take() { # SNAPSHOT
  set -- "$1" --exclude /stack/releases --exclude /stack/files --exclude /stack/machine
  [ ! -d "$before" ] || set -- "$@" --delete
  unpack "$@"
}

# A snapshot as it is, in $work/restore.
unpack() { # SNAPSHOT WORD...: of restic, what to leave out
  from=$1
  shift
  rm -rf "$work/restore"
  case " $* " in *" --delete "*) mv "$before" "$work/restore" ;; *) mkdir -p "$work/restore" ;; esac
  words=$(restic --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add FSETID --cap-add SETFCAP --mount "$(mount_option "$work/restore" /restore)" \
    -- restore --quiet "$from:/backup" --target /restore "$@" --sparse 2>&1) ||
    fail "snapshot $from could not be read; nothing was touched: $(printf '%s' "$words" | tail -n 3)"
}

put_databases() { # SNAPSHOT
  if [ -d "$work/restore/databases" ] || [ -d "$work/restore/sparse" ]; then
    words=$(worker place --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add FSETID --mount "$(mount_option "$work/restore" /restore)") ||
      fail "the databases of snapshot $1 could not be put in place; nothing was touched: see $logs/backup.log"
    [ -z "$words" ] || say "not in the place where it was: $words"
  fi
}

# The data may be in use on one host at a time: nothing of the stack starts here any more, at a boot or by `pulumi up`
# (cloudcode-host looks for the mark), until a restore brings the data back or `resume` says that the other host has let go.
give() { # NAME STACK
  exec 8>"$stacks/.$1.lock"
  locked "$1" 8 || fail "a change of $1 has been running for 900 s; nothing was touched"
  [ ! -d "$stacks/$1" ] || goes "$1" "$2"
}

goes() { # NAME STACK
  printf 'its data went to the stack %s at %s\n' "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$stacks/$1/given" && sync "$stacks/$1/given" || exit 1
  halt "$1"
  containers=$(docker ps --all --quiet --filter "label=com.docker.compose.project=cloudcode-$1")
  # shellcheck disable=SC2086 # ids are words
  [ -z "$containers" ] || docker rm --force $containers >/dev/null || fail "$1 could not be stopped"
  record "$1" give "$2" stopped
  say "$1 is stopped here: its data goes to the stack $2"
}

resume() { # NAME
  [ -e "$stacks/$1/given" ] || [ -e "$stacks/$1/yielding" ] || fail "$1 was not given away"
  exec 8>"$stacks/.$1.lock"
  locked "$1" 8 || fail "a change of $1 has been running for 900 s; nothing was touched"
  rm -f "$stacks/$1/given" "$stacks/$1/yielded"
  unforward "$1"
  start "$1" --wait --wait-timeout "$(plan "$1" timeout)" >"$work/said" 2>&1 || fail "$1 did not start: $(tail -n 3 "$work/said")"
  rm -f "$stacks/$1/yielding"
  record "$1" resume "" running
  say "$1 runs again"
}
