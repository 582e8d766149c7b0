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
  [ "${CLOUDCODE_HOLDS:-}" = "$name" ] || save "$name" before-restore
  place=$work/restore
  rm -rf "$place"
  mkdir -p "$place"
  words=$(restic --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add FSETID --cap-add SETFCAP --mount "$(mount_option "$place" /restore)" \
    -- restore --quiet "$2:/backup" --target /restore --exclude /stack --sparse 2>&1) ||
    fail "snapshot $2 could not be read; nothing was touched: $(printf '%s' "$words" | tail -n 3)"
  if [ -d "$place/databases" ] || [ -d "$place/sparse" ]; then
    words=$(worker place --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add FSETID --mount "$(mount_option "$place" /restore)") ||
      fail "the databases of snapshot $2 could not be put in place; nothing was touched: see $logs/backup.log"
    [ -z "$words" ] || say "not in the place where it was: $words"
  fi
  exec 8>"$stacks/.$name.lock"
  locked "$name" 8 || fail "a change of $name has been running for 900 s; nothing was touched"
  trap 'recover; hide' EXIT
  halt "$name"
  printf '%s\n' "$name" >"$work/journal"
  volumes "$name" | while read -r short _ folder; do
    [ -d "$place/volumes/$short" ] || [ -e "$place/dumps/$short" ] || continue
    printf '%s\n' "$folder" >>"$work/journal" && sync "$work/journal" && mv "$folder" "$folder.before" || exit 1
    if [ -d "$place/volumes/$short" ]; then
      mv "$place/volumes/$short" "$folder" || exit 1
    else
      mkdir "$folder" && chown --reference="$folder.before" "$folder" && chmod --reference="$folder.before" "$folder" || exit 1
    fi
  done || fail "the data of snapshot $2 could not be put in place; $name runs with what it had"
  rm -f "$stacks/$name/given"
  # Not into a pipe: what outlives this script when it is killed would wait on it, with the lock that recover needs.
  { load "$name" "$place" && start "$name" --wait --wait-timeout "$(plan "$name" timeout)" --remove-orphans; } >"$work/said" 2>&1 ||
    fail "$name did not become healthy with the data of snapshot $2, and runs with what it had: $(tail -n 3 "$work/said")"
  trap hide EXIT
  # One step, after which nothing goes back: a half removed folder must never do so.
  mv "$work/journal" "$work/done"
  tidy
  record "$name" restore "$2" running
  say "$name runs with the data of snapshot $2"
}

# What a restore that is whole has replaced. The lines of the journal are folders of Docker's volumes, whose names it bounds.
tidy() {
  [ ! -e "$work/done" ] || sed 1d "$work/done" | while IFS= read -r folder; do rm -rf "$folder.before"; done
  rm -rf "$work/done" "$work/restore" "$work/said"
}

# What stands in the journal was moved aside and goes back; the stack starts with what it had.
recover() {
  trap hide EXIT
  tidy
  [ -s "$work/journal" ] || return 0
  name=$(head -n 1 "$work/journal")
  halt "$name"
  sed 1d "$work/journal" | while IFS= read -r folder; do
    [ ! -d "$folder.before" ] || { rm -rf "$folder" && mv "$folder.before" "$folder"; }
  done
  rm -f "$work/journal"
  [ -e "$stacks/$name/given" ] || start "$name" >/dev/null 2>&1
  record "$name" restore "" "cut off, runs with what it had"
  say "a restore of $name was cut off; it runs with what it had"
}

# The data may be in use on one host at a time: nothing of the stack starts here any more, at a boot or by `pulumi up`
# (cloudcode-host looks for the mark), until a restore brings the data back or `resume` says that the other host has let go.
give() { # NAME STACK
  exec 8>"$stacks/.$1.lock"
  locked "$1" 8 || fail "a change of $1 has been running for 900 s; nothing was touched"
  [ -d "$stacks/$1" ] || return 0
  printf 'its data went to the stack %s at %s\n' "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$stacks/$1/given" && sync "$stacks/$1/given" || exit 1
  halt "$1"
  containers=$(docker ps --all --quiet --filter "label=com.docker.compose.project=cloudcode-$1")
  # shellcheck disable=SC2086 # ids are words
  [ -z "$containers" ] || docker rm --force $containers >/dev/null || fail "$1 could not be stopped"
  record "$1" give "$2" stopped
  say "$1 is stopped here: its data goes to the stack $2"
}

resume() { # NAME
  [ -e "$stacks/$1/given" ] || fail "$1 was not given away"
  exec 8>"$stacks/.$1.lock"
  locked "$1" 8 || fail "a change of $1 has been running for 900 s; nothing was touched"
  rm "$stacks/$1/given"
  start "$1" --wait --wait-timeout "$(plan "$1" timeout)" >"$work/said" 2>&1 || fail "$1 did not start: $(tail -n 3 "$work/said")"
  record "$1" resume "" running
  say "$1 runs again"
}
