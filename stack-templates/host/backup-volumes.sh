# Part of cloudcode-backup, run within it: the volumes of a stack, as a container sees them that reads or copies their files.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

# The volumes of a stack: short name, full name, folder on the host.
volumes() {
  for volume in $(docker volume ls --quiet --filter "label=com.docker.compose.project=cloudcode-$1"); do
    docker volume inspect --format '{{index .Labels "com.docker.compose.volume"}} {{.Name}} {{.Mountpoint}}' "$volume"
  done
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

# Runs volumes/ with the host's own Python; its image has nothing but the links into /usr.
worker() { # WORDS DOCKER-OPTION...
  words=$1
  shift
  docker rm --force cloudcode-worker >/dev/null 2>&1
  docker image inspect cloudcode-empty:1 >/dev/null 2>&1 ||
    (cd / && find bin lib lib64 -maxdepth 0 -type l -print0 | tar --null --files-from - --create) |
    docker import - cloudcode-empty:1 >/dev/null || return 1
  # shellcheck disable=SC2086 # the words are words
  timeout "$((copy_seconds + 600))" docker run --rm --name cloudcode-worker --network none --read-only --log-driver none --cap-drop ALL \
    --security-opt no-new-privileges:true --memory 512m --memory-swap 512m --pids-limit 32 --entrypoint /usr/bin/python3 \
    --mount type=bind,source=/usr,target=/usr,readonly --mount "$(mount_option "$bin/volumes" /program),readonly" \
    "$@" cloudcode-empty:1 -I -B /program $words </dev/null
}
