# Part of cloudcode-backup, run within it: the volumes of a stack, as a container sees them that reads or copies their files.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

# The volumes of a stack that belong into a backup: short name, full name, folder on the host.
volumes() {
  for volume in $(docker volume ls --quiet --filter "label=com.docker.compose.project=cloudcode-$1"); do
    docker volume inspect --format '{{if ne (index .Labels "cloudcode.backup") "no"}}{{index .Labels "com.docker.compose.volume"}} {{.Name}} {{.Mountpoint}}{{end}}' "$volume"
  done | sed '/^$/d'
}

# Mounts the volumes of a stack below $work/view, but for those in DUMPS: read-only, and so that no symbolic link is followed (Linux
# 5.10). An App could otherwise replace a folder by a link while its files are read, and lead the reader to other files.
show() { # NAME DUMPS
  hide
  mkdir -p "$work/view" && chmod 711 "$work/view"
  volumes "$1" | while read -r short _ folder; do
    [ ! -e "$2/$short" ] || continue
    mkdir "$work/view/$short" && mount --bind "$folder" "$work/view/$short" &&
      mount -o remount,bind,ro,nosuid,nodev,noexec,nosymfollow "$work/view/$short" || exit 1
  done || { hide; echo "the volumes of $1 cannot be mounted for reading"; return 1; }
}

hide() {
  for view in "$work"/view/*; do
    while umount "$view" 2>/dev/null; do :; done
    rmdir "$view" 2>/dev/null
  done
}

mount_option() { # SOURCE TARGET
  printf 'type=bind,"source=%s","target=%s"' "$1" "$2"
}

# Runs volumes/ with the host's own Python.
worker() { # WORDS DOCKER-OPTION...
  words="-I -B /program $1"
  shift
  contained /usr/bin/python3 "$words" --mount "$(mount_option "$bin/volumes" /program),readonly" "$@"
}

# Runs a program of the host's own /usr in a container without a network; its image has nothing but the links into /usr.
contained() { # PROGRAM WORDS DOCKER-OPTION...
  entry=$1 words=$2
  shift 2
  docker rm --force "${worker_name:=cloudcode-worker}" >/dev/null 2>&1
  docker image inspect cloudcode-empty:1 >/dev/null 2>&1 ||
    (cd / && find bin lib lib64 -maxdepth 0 -type l -print0 | tar --null --files-from - --create) |
    docker import - cloudcode-empty:1 >/dev/null || return 1
  # shellcheck disable=SC2086 # the words are words
  timeout "$((copy_seconds + 600))" docker run --rm --name "$worker_name" --network none --read-only --log-driver none --cap-drop ALL \
    --security-opt no-new-privileges:true --memory 512m --memory-swap 512m --pids-limit 32 --entrypoint "$entry" \
    --mount type=bind,source=/usr,target=/usr,readonly "$@" cloudcode-empty:1 $words </dev/null
}

mib() { echo "$((${1:-0} / 1024 + 1))"; } # KIB

size_of() { # NAME VOLUMES: in KiB
  over_volumes "$1" "$2" /usr/bin/du "-sk /volumes" --cap-add DAC_READ_SEARCH | awk '{ print $1 }'
}

# Runs a program that meets names of files, which an App chose, in a container that sees these volumes in /volumes, read-only.
over_volumes() { # NAME VOLUMES PROGRAM WORDS DOCKER-OPTION...
  of=$1 which=$2 program=$3 its=$4
  shift 4
  for wanted in $which; do
    folder=$(volumes "$of" | while read -r short _ folder; do [ "$short" != "$wanted" ] || printf '%s\n' "$folder"; done)
    [ -z "$folder" ] || set -- "$@" --mount "$(mount_option "$folder" "/volumes/$wanted"),readonly"
  done
  contained "$program" "$its" "$@"
}

# Copies these volumes of a stack into $formats/NAME/new; the stack stops for it, once there is room, and is left stopped.
copy_volumes() { # NAME VOLUME...
  name=$1 into=$formats/$1/new
  shift
  kib=$(size_of "$name" "$*")
  case $kib in '' | *[!0-9]*) rm -rf "$into"; fail "the data of $name cannot be measured: see $logs/backup.log; nothing was touched" ;; esac
  free=$(df -Pk "$formats" | awk 'NR == 2 { print $4 }') needed=$((kib + kib / 20 + min_free_kib))
  [ "$free" -ge "$needed" ] || {
    rm -rf "$into"
    fail "the disk has no room for a copy of the data of $name, whose format changes: $((free / 1024)) MiB free, $((needed / 1024)) MiB needed; nothing was touched"
  }
  halt "$name"
  # To read every file, and to give its copy the same owner, mode and attributes.
  if ! over_volumes "$name" "$*" /usr/bin/cp "-a /volumes/. /out" --cap-add DAC_OVERRIDE --cap-add DAC_READ_SEARCH --cap-add CHOWN \
    --cap-add FOWNER --cap-add FSETID --cap-add SETFCAP --mount "$(mount_option "$into/volumes" /out)" >&2; then
    rm -rf "$into"
    [ ! -e "$stacks/$name/releases/current/compose.yaml" ] || start "$name" >/dev/null 2>&1
    fail "the data of $name could not be copied, and it runs on: see $logs/backup.log"
  fi
  mib "$kib" >"$into/mib"
}
