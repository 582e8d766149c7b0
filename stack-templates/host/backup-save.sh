# Part of cloudcode-backup, run within it: what makes snapshots, and what lists and forgets them.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

# Makes a snapshot, whose id it leaves in $snapshot, and in $faults what it lacks. Messages that the operator should read, but which are no
# failure, also go to $work/warnings.
save() { # NAME [TAG]
  name=$1 tag=${2-} snapshot='' faults=''
  [ -e "$stacks/$name/releases/current/compose.yaml" ] || fail "$name does not run on this host"
  free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$min_free_kib" ] || fail "the disk is full: $((free / 1024)) MiB free, $((min_free_kib / 1024)) MiB needed; no backup was made, nothing was touched"
  # In the snapshot, so that a restore knows whether the release can read the data.
  format_of "$name" >"$stacks/$name/format"
  staging=$work/staging copies=$work/staging/copies
  rm -rf "$staging"
  mkdir -p "$staging"
  words=$(stage "$name" "$staging" 2>>"$logs/backup.log") && code=0 || code=$?
  if [ "$tag" = before-restore ] && [ "$code" = 4 ]; then
    # A damaged database must not prevent the backup of the others.
    warn "$name has a database that cannot be read, whose files are kept as they are: $(printf '%s' "$words" | tail -n 1)"
    rm -rf "$staging"
    mkdir -p "$staging"
    show "$name" "$staging/dumps" >/dev/null || fail "the volumes of $name cannot be mounted for reading"
  elif [ "$code" != 0 ]; then
    fail "no backup of $name was made, and it runs on: $words"
  fi
  faults=$(cat "$staging/faults" "$copies/missing" 2>/dev/null)
  warn_of "$copies/as-they-are" "$name has a database that cannot be read, whose files are kept as they are"
  warn_of "$copies/devices" "$name has a device among its data, which no backup takes"
  set -- --cap-add DAC_READ_SEARCH --mount "$(mount_option "$stacks/$name" /backup/stack),readonly" \
    --mount "$(mount_option "$work/view" /backup/volumes),readonly"
  for kind in dumps copies/databases copies/sparse; do
    [ ! -d "$staging/$kind" ] || set -- "$@" --mount "$(mount_option "$staging/$kind" "/backup/${kind#copies/}"),readonly"
  done
  for file in copies/proof answers; do
    [ ! -s "$staging/$file" ] || set -- "$@" --mount "$(mount_option "$staging/$file" "/backup/${file#copies/}"),readonly"
  done
  exclude=''
  if [ -s "$copies/excludes" ]; then
    set -- "$@" --mount "$(mount_option "$copies/excludes" /excludes),readonly"
    exclude='--exclude-file /excludes'
  elif [ -n "$faults" ]; then
    # A file that is larger than its disk is sparse; restic would read its holes for hours.
    exclude="--exclude-larger-than $(df -Pk "$work" | awk 'NR == 2 { print $2 }')K"
  fi
  more=$copies/words
  # shellcheck disable=SC2086 # words
  restic "$@" -- backup --quiet --json --host "$host" --tag "app=$name${tag:+,$tag}" $exclude /backup >"$work/said" 2>"$work/errors" && code=0 || code=$?
  more=''
  hide
  rm -rf "$staging"
  cat "$work/errors" >&2
  snapshot=$(jq --raw-input --raw-output 'fromjson? | select(.message_type == "summary").snapshot_id' "$work/said" | grep -xE '[0-9a-f]{64}')
  [ "$code" = 0 ] || { [ "$code" = 3 ] && [ -n "$snapshot" ]; } ||
    fail "the backup of $name failed, and it runs on: $(tail -n 3 "$work/errors")"
  # A file that was deleted before it was read is no fault. Error texts stay quoted: they contain names that an App chose.
  unread=$(jq --raw-input --compact-output 'fromjson? | select(.message_type == "error").error.message | select(test("no such file or directory$") | not)' "$work/errors")
  faults=$faults${unread:+${faults:+
}$unread}
  if [ -n "$faults" ]; then
    say "cloudcode: the backup of $name${tag:+ ($tag)} is made, but lacks: $(printf '%s' "$faults" | head -n 20)"
  else
    say "$name is backed up${tag:+ ($tag)}"
  fi
}

# What the plan's questions get for an answer from a running stack: service, what it is about, and a digest.
answers() { # NAME WORD...: what calls its compose
  asked=$1
  shift
  plan "$asked" ask | while read -r service what command; do
    [ -n "$("$@" ps --quiet --status running "$service" 2>/dev/null)" ] || continue
    # shellcheck disable=SC2086 # the plan's words are words
    printf '%s %s %s\n' "$service" "$what" "$("$@" exec -T "$service" $command </dev/null 2>/dev/null | head -c 1000000 | sha256sum | cut -c 1-64)"
  done
}

warn() {
  say "$*"
  printf '%s\n' "$*" >>"$work/warnings"
}

warn_of() { # FILE WORDS
  [ -s "$1" ] || return 0
  sed "s/^/$2: /" "$1" | tee -a "$work/warnings" >&3
}

# Names of the stacks that have their place here.
all_stacks() {
  for folder in "$stacks"/*/; do
    [ ! -e "${folder}releases/current/compose.yaml" ] || basename "$folder"
  done
}

# Of those that a move took to another host, the last backup is made.
running() {
  for one in $(all_stacks); do [ -e "$stacks/$one/yielded" ] || printf '%s\n' "$one"; done
}

# Before a machine goes: what can wait, such as pruning, would take the time of what cannot.
rescue() {
  wait_others=30s
  repository_ready
  result=ok
  for one in $(running); do
    (save "$one" && [ -z "$faults" ]) || result=failed
  done
  [ $result = ok ]
}

run() {
  result=failed
  # A backup of single stacks by hand says nothing about the others.
  [ $# -gt 0 ] || trap 'hide; printf "%s\t%s\n" "$(date +%s)" "$result" >"$config/last"; cp "$work/warnings" "$config/warnings"' EXIT
  repository_ready
  # shellcheck disable=SC2046 # names are words
  [ $# -gt 0 ] || set -- $(running)
  result=ok
  for one in "$@"; do
    (save "$one" && [ -z "$faults" ]) || result=failed
  done
  release_snapshots
  if words=$(restic -- forget --quiet --host "$host" --group-by host,tags --keep-tag kept-data --keep-daily "$keep_daily" --keep-weekly "$keep_weekly" \
    --keep-monthly "$keep_monthly" --keep-last 1 --prune 2>&1); then
    date +%s >"$config/pruned"
  else
    warn "old snapshots could not be removed, which the next backup tries again: $(printf '%s' "$words" | tail -n 4)"
  fi
  [ $result = ok ]
}

keep() { # NAME [TAG]
  # The operator waits for the new version.
  wait_others=15m
  repository_ready
  save "$1" "before-update${2:+,$2}"
  [ -z "$faults" ] || exit 1
  [ -n "$snapshot" ] || fail "restic named no snapshot of $1"
  say "$snapshot"
}

snapshots() {
  wait_others=5m
  repository_ready look
  restic -- snapshots --json >&3
}
