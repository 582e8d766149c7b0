# Part of cloudcode-backup, run within it: the drill of one stack; backup-drill.sh runs it for each.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

# Memory that must stay free, in MiB, and that a container of a drill gets at most where its own limit is not free.
spare_mib=256
drill_mib=512

drill_stack() { # NAME
  name=$1 own=$work/drill/$1
  [ -e "$stacks/$name/releases/current/compose.yaml" ] || fail "does not run on this host"
  snapshot=$(jq --raw-output --arg tag "app=$name" \
    '[.[] | select((.tags // []) | index($tag) != null and index("before-restore") == null)] | last | .id // empty' "$work/drill/snapshots")
  [ -n "$snapshot" ] || fail "there is no backup of it: npm run ops -- backup makes one"
  copy_release
  drill_memory
  drill_room
  unpack "$snapshot"
  readable "$name" || fail "its backup has data of a newer format than the release that runs here can read"
  { mkdir "$own/scratch" && chmod 711 "$own/scratch" && cp "$own/releases/current/plan" "$own/plan"; } || fail "cannot write below $own"
  compared prove
  put_databases "$snapshot"
  take_volumes
  if jq --exit-status '.services == {}' "$own/compose.json" >/dev/null; then
    say "$name: its data is whole; what uses it needs the internet or k3s, and did not start"
    return
  fi
  load_again
  drill_compose compose.json up --detach --wait --wait-timeout "$((2 * $(plan "$name" timeout)))" --no-build ||
    fail "it does not become healthy with the data of its backup: $(sick)"
  [ -e "$work/restore/answers" ] || : >"$work/restore/answers"
  answers "$name" drill_compose compose.json >"$own/answers"
  # Of what a person had stopped no answer is there.
  other=$(awk '{ key = $1 " " $2 } FILENAME == ARGV[1] { had[key] = $3; next }
    key in had && had[key] != $3 { print "the " $2 " of " $1 " are not those of the time of the backup" }' "$work/restore/answers" "$own/answers")
  [ -z "$other" ] || fail "$other"
  say "$name: became healthy with the data of its backup of $(jq --raw-output --arg id "$snapshot" '.[] | select(.id == $id).time[0:19]' "$work/drill/snapshots")"
}

drill_compose() { # FILE ARGUMENT...
  file=$1
  shift
  timeout 30m docker compose --project-name "cloudcode-drill-$name" --project-directory "$own" --file "$own/$file" "$@"
}

# The release may be replaced while the drill runs.
copy_release() {
  exec 8>"$stacks/.$name.lock"
  locked "$name" 8 || fail "a change of it has been running for 900 s"
  release=$(basename "$(readlink "$stacks/$name/releases/current")")
  rm -rf "$own"
  { mkdir -p "$own/releases" "$own/files" && chmod 755 "$own" "$own/releases" "$own/files" &&
    cp -a "$stacks/$name/releases/$release" "$own/releases/" && ln -s "$release" "$own/releases/current"; } || fail "its release could not be copied"
  [ ! -d "$stacks/$name/files" ] || cp -a "$stacks/$name/files/." "$own/files/" || fail "its release could not be copied"
  exec 8>&-
}

# Makes the compose file of the drill, whose containers fit into the memory that is free.
drill_memory() {
  free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' "$meminfo")
  for most in 1048576 "$drill_mib"; do
    drill_compose releases/current/compose.yaml config --format json |
      jq --arg name "$name" --arg own "$own" --arg without "$(plan "$name" without)" --argjson most $((most << 20)) --from-file "$bin/drill.jq" >"$own/compose.json"
    [ -s "$own/compose.json" ] || fail "its compose file cannot be read: see $logs/backup.log"
    needed=$(($(jq '[.services[].mem_limit] | add // 0' "$own/compose.json") / 1048576 + spare_mib))
    [ "${free:-0}" -lt "$needed" ] || return 0
  done
  fail "there is too little memory for a drill: ${free:-0} MiB available, $needed MiB needed; nothing was restored"
}

# A database takes its room twice again when its dump is loaded and compared.
drill_room() {
  bytes=$(restic -- stats --json --mode restore-size "$snapshot" | jq '.total_size')
  case $bytes in '' | *[!0-9]*) fail "its snapshot cannot be read: see $logs/backup.log" ;; esac
  [ -z "$(plan "$name" dump)" ] || bytes=$((bytes * 4))
  needed=$((bytes * 21 / 20480 + min_free_kib)) free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$needed" ] || fail "the disk has no room for a drill: $((free / 1024)) MiB free, $((needed / 1024)) MiB needed; nothing was restored"
}

compared() { # prove|prove-dumps
  lines=$(worker "$1" --cap-add DAC_READ_SEARCH --cap-add SETUID --cap-add SETGID --cap-add KILL --cap-add CHOWN \
    --mount "$(mount_option "$work/restore" /restore),readonly" --mount "$(mount_option "$own/scratch" /out)" \
    --mount "$(mount_option "$own/plan" /plan),readonly") || fail "its data cannot be compared with what was backed up: see $logs/backup.log"
  [ -n "$lines" ] || return 0
  say "$lines"
  fail "$(printf '%s\n' "$lines" | grep -c .) of the things that its backup must have are missing or damaged"
}

take_volumes() {
  jq --raw-output '.volumes | keys[]' "$own/compose.json" | while read -r volume; do
    full=cloudcode-drill-${name}_$volume
    docker volume create --label "cloudcode.drill=$name" "$full" >&2 && folder=$(docker volume inspect --format '{{.Mountpoint}}' "$full") || exit 1
    [ ! -d "$work/restore/volumes/$volume" ] || { rmdir "$folder" && mv "$work/restore/volumes/$volume" "$folder"; } || exit 1
  done || fail "its volumes could not be made: see $logs/backup.log"
}

# Each dump, loaded and dumped again, must have the rows that it had.
load_again() {
  plan "$name" load | while read -r service volume command; do
    # In blocks of 512 bytes: an endless dump must not fill the disk.
    ulimit -f $((($(df -Pk "$work" | awk 'NR == 2 { print $4 }') - min_free_kib) * 2))
    # There is none of a database that a person had stopped.
    [ -e "$work/restore/dumps/$volume" ] || continue
    dump=$work/restore/dumps/$volume again=$(plan "$name" dump | sed -n "s/^$service $volume //p")
    # shellcheck disable=SC2086 # the plan's words are words
    drill_compose compose.json up --detach --wait --wait-timeout "$((2 * $(plan "$name" timeout)))" --no-build "$service" &&
      drill_compose compose.json exec -T "$service" $command <"$dump" >/dev/null &&
      drill_compose compose.json exec -T "$service" $again </dev/null >"$dump.again" && mv "$dump.again" "$dump" || exit 1
  done || fail "its dump cannot be loaded: $(sick)"
  [ -z "$(plan "$name" load)" ] || compared prove-dumps
}

# Which services do not run; their last words go to the log of backups alone.
sick() {
  drill_compose compose.json logs --no-color --tail 15 >&2
  drill_compose compose.json ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}' 2>/dev/null |
    awk -F '|' '!($2 == "running" && ($3 == "healthy" || $3 == "")) && !($2 == "exited" && $4 == 0) { printf "%s%s", n++ ? ", " : "", $1 } END { if (!n) printf "see the log of backups" }'
}
