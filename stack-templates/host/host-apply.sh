# Part of cloudcode-host, run within it: a release arrives, goes live, and what nobody needs any more goes.
# shellcheck shell=sh disable=SC2154 # the names are cloudcode-host's

receive() { # RELEASE
  docker_root=$(docker info --format '{{.DockerRootDir}}')
  free=$(df -Pk "$stacks" "$docker_root" | awk 'NR > 1 && (min == "" || $4 < min) { min = $4 } END { print min }')
  [ "$free" -ge "$min_free_kib" ] || fail "the disk is full: $((free / 1024)) MiB free, $((min_free_kib / 1024)) MiB needed; nothing was touched"
  incoming=$(mktemp -d "$stack/incoming.XXXXXX") || fail "cannot write below $stack"
  base64 -d | tar -xz --numeric-owner --same-permissions -C "$incoming" || fail "the release did not arrive completely; nothing was touched"
  [ "$(cat "$incoming/complete" 2>/dev/null)" = "$1" ] || fail "the release did not arrive completely; nothing was touched"
  mkdir -p "$stack/releases" "$stack/files" "$incoming/files"
  chmod 755 "$stack" "$stack/releases" "$stack/files" "$incoming/release" "$incoming/files"
  find "$incoming/files" "$incoming/release" -type d -exec chmod 755 {} +
  for folder in "$incoming"/files/*; do
    [ ! -d "$folder" ] || [ -d "$stack/files/${folder##*/}" ] || mv "$folder" "$stack/files/" || fail "cannot write below $stack"
  done
  rm -rf "$stack/releases/$1"
  mv "$incoming/release" "$stack/releases/$1" && sync "$stack/releases/$1/compose.yaml" && rm -rf "$incoming"
}

# Keeps the new and the previous release, and the one that the kept data is of; images go only when no kept release and no other stack uses them.
prune() { # NEW PREVIOUS KEPT
  gone=
  for folder in "$stack"/releases/*; do
    release=${folder##*/}
    case $release in current | "$1" | "$2" | "$3") continue ;; esac
    gone="$gone $(compose "$release" config --images 2>/dev/null)"
    rm -rf "$folder"
  done
  for folder in "$stack"/files/*; do
    grep -qF "${folder##*/}" "$stack"/releases/*/compose.yaml || rm -rf "$folder"
  done
  kept=$(for release in "$1" ${2:+"$2"} ${3:+"$3"}; do [ ! -d "$stack/releases/$release" ] || compose "$release" config --images; done)
  for image in $gone; do
    printf '%s\n' "$kept" | grep -qxF "$image" || docker image rm "$image" >/dev/null 2>&1
  done
  rm -rf "$stack"/incoming.*
}

apply() { # RELEASE
  previous=$(current)
  [ "$previous" != "$1" ] || previous=$(cat "$stack/previous" 2>/dev/null)
  receive "$1"
  exec >"$log" 2>&1
  if ! { processor_fits "$1" && memory_enough "$1" && networks_ready "$1" && images_ready "$1" && checked "$1"; }; then
    tail -n 15 "$log" | redact "$stack/releases/$1/secrets" >&3
    [ "$(current)" = "$1" ] || rm -rf "$stack/releases/$1"
    exit 1
  fi
  look_at_format "$1"
  { { waits || backed_up "$1" "$previous"; } && prepare_data "$1" "$previous"; } || { [ "$(current)" = "$1" ] || rm -rf "$stack/releases/$1"; exit 1; }
  # Before its first release is current: from then on, what is not stopped runs.
  [ -z "$standby" ] || [ -n "$(current)" ] || stopped_by standby all
  # Nothing runs yet that could be harmed, and a service that reads `current` needs one to start from.
  [ -n "$previous" ] || switch "$1"
  go_live "$1" "$previous"
  prune "$1" "$previous" "$(release_of_kept)"
  if [ "$result" = running ]; then say "release $1 of $name is running"; else say "release $1 of $name is here and does not run: this host is on standby"; fi
}
