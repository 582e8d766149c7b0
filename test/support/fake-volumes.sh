#!/bin/sh
# Stands in for docker where data matters: volumes are folders of $FAKE_DOCKER/volumes, programs of throw-away containers run here, a
# repository of restic is the folder $FAKE_DOCKER/snapshots, and whatever `compose up` starts does what the script
# $FAKE_DOCKER/on-up says, whose argument is the release. The rest is fake-docker.sh's.
call=$*
source_of() { # TARGET: what a container would see there
  printf '%s\n' "$call" | tr ' ' '\n' | sed -n "s#^type=bind,\"source=\\(.*\\)\",\"target=$1\".*#\\1#p"
}
case $call in
  "volume ls "*) ls "$FAKE_DOCKER/volumes" ;;
  "volume inspect "*) short=${call##*cloudcode-app_}; echo "$short cloudcode-app_$short $FAKE_DOCKER/volumes/cloudcode-app_$short/_data" ;;
  "volume rm "*) rm -r "$FAKE_DOCKER/volumes/${call##* }" ;;
  *"--entrypoint /usr/bin/du "* | *"--entrypoint /usr/bin/cp "*)
    [ ! -e "$FAKE_DOCKER/fails" ] || case $call in *"--entrypoint $(cat "$FAKE_DOCKER/fails") "*) exit 1 ;; esac
    for volume in "$FAKE_DOCKER"/volumes/*; do
      short=${volume##*cloudcode-app_}
      from=$(source_of "/volumes/$short")
      [ -n "$from" ] || continue
      case $call in *bin/cp*) cp -a "$from" "$(source_of /out)/$short" ;; *) kib=$((${kib:-0} + $(du -sk "$from" | cut -f 1))) ;; esac
    done
    case $call in *bin/du*) echo "${kib:-0} /volumes" ;; esac
    ;;
  *" --name cloudcode-restic "*" backup "*)
    id=$(printf '%064d' "$(($(ls "$FAKE_DOCKER/snapshots" 2>/dev/null | wc -l) / 2 + 1))")
    mkdir -p "$FAKE_DOCKER/snapshots/$id"
    for volume in "$FAKE_DOCKER"/volumes/*; do cp -a "$volume/_data" "$FAKE_DOCKER/snapshots/$id/${volume##*cloudcode-app_}"; done
    cp "$(source_of /backup/stack)/format" "$FAKE_DOCKER/snapshots/$id.format"
    echo "{\"message_type\":\"summary\",\"snapshot_id\":\"$id\"}"
    ;;
  *" --name cloudcode-restic "*" restore "*)
    id=$(printf '%s\n' "$call" | sed -n 's#.* \([0-9a-f]*\):/backup .*#\1#p')
    to=$(source_of /restore)/volumes
    mkdir -p "$to" "${to%volumes}stack"
    cp "$FAKE_DOCKER/snapshots/$id.format" "${to%volumes}stack/format"
    for folder in "$FAKE_DOCKER/snapshots/$id"/*; do
      case "$call " in *--include*) case "$call " in *" --include /volumes/${folder##*/} "*) ;; *) continue ;; esac ;; esac
      cp -a "$folder" "$to/"
    done
    ;;
  *" up --detach "*)
    release=${call#*/releases/}
    release=${release%%/*}
    [ "$release" != current ] || release=$(readlink "$(dirname "${call#*--file }" | cut -d " " -f 1)")
    printf '%s\n' "$call" >>"$FAKE_DOCKER/calls"
    exec sh "$FAKE_DOCKER/on-up" "${release%%/*}"
    ;;
  *) exec "${0%/*}/fake-docker.sh" "$@" ;;
esac
printf '%s\n' "$call" >>"$FAKE_DOCKER/calls"
