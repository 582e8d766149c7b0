#!/bin/sh
# Stands in for docker on a host with several stacks, each with one service and one volume: what runs is a file of $FAKE_HOME/running,
# volumes are folders of $FAKE_HOME/volumes, and the repository of restic is the folder $FAKE_STORE, which hosts share. A stack that has a
# file in $FAKE_HOME/sick does not become healthy.
call=$*
stack=$(printf '%s\n' "$call" | sed -n 's/.*\(--project-name \|compose\.project=\)cloudcode-\([a-z-]*\).*/\2/p')
printf '%s\n' "$call" >>"$FAKE_HOME/calls"
mkdir -p "$FAKE_HOME/running" "$FAKE_STORE"
case $call in
  "info --format"*) echo "$FAKE_HOME" ;;
  "volume ls "*) echo "cloudcode-${stack}_data" ;;
  "volume inspect "*) echo "data ${call##* } $FAKE_HOME/volumes/${call##* }/_data" ;;
  "ps "*) [ ! -e "$FAKE_HOME/running/$stack" ] || echo "c-$stack" ;;
  "stop c-"* | "rm --force c-"*) rm -f "$FAKE_HOME/running/${call##*c-}" ;;
  "compose "*" config --services") echo web ;;
  "compose "*" stop web") rm "$FAKE_HOME/running/$stack" ;;
  "compose "*" up --no-start "*) ;;
  "compose "*" up --detach "*)
    [ ! -e "$FAKE_HOME/sick/$stack" ] || { echo "it is sick" >&2; exit 1; }
    : >"$FAKE_HOME/running/$stack"
    ;;
  *"--entrypoint /usr/bin/du "*) echo "1000 /volumes" ;;
  *" --name cloudcode-restic "*" backup "*)
    app=$(printf '%s\n' "$call" | sed -n 's/.* --tag app=\([a-z-]*\).*/\1/p')
    host=$(printf '%s\n' "$call" | sed -n 's/.* --json --host \([a-z-]*\) .*/\1/p')
    id=$(printf '%063d1' "$(ls "$FAKE_STORE" | wc -l)" | rev)
    cp -a "$FAKE_HOME/volumes/cloudcode-${app}_data/_data" "$FAKE_STORE/$id"
    printf '{"short_id":"%.16s","time":"%s","hostname":"%s","tags":["app=%s"]}\n' "$id" "$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)" "$host" "$app" >"$FAKE_STORE/$id.json"
    echo "{\"message_type\":\"summary\",\"snapshot_id\":\"$id\"}"
    ;;
  *" --name cloudcode-restic "*" snapshots --json") cat "$FAKE_STORE"/*.json | jq --slurp . ;;
  *" --name cloudcode-restic "*" restore "*)
    id=$(printf '%s\n' "$call" | sed -n 's#.* \([0-9a-f]*\):/backup .*#\1#p')
    to=$(printf '%s\n' "$call" | tr ' ' '\n' | sed -n 's#^type=bind,"source=\(.*\)","target=/restore".*#\1#p')
    mkdir -p "$to/volumes" && rm -rf "$to/volumes/data"
    cp -a "$(ls -d "$FAKE_STORE/$id"* | grep -v json)" "$to/volumes/data"
    ;;
esac
