#!/bin/sh
# Stands in for docker where backups are drilled. Volumes are folders of $FAKE_DOCKER/volumes with their labels next to them, containers and
# networks are files of $FAKE_DOCKER/containers and $FAKE_DOCKER/networks; snapshots of restic are folders of $FAKE_DOCKER/snapshots, each with
# a line in $FAKE_DOCKER/list; fake-worker.py runs the programs of throw-away containers. `compose up` ends as the script $FAKE_DOCKER/on-up.
# A file $FAKE_DOCKER/fails-VERB makes that verb of restic print it and fail.
call=$*
here=$FAKE_DOCKER
printf '%s\n' "$call" >>"$here/calls"
source_of() { # TARGET: what a container would see there
  printf '%s\n' "$call" | tr ' ' '\n' | sed -n "s#^type=bind,\"source=\\(.*\\)\",\"target=$1\".*#\\1#p"
}
labelled() { # FOLDER: what has the label of the call's filter
  wanted=$(printf '%s\n' "$call" | sed -n 's/.*--filter label=\([^ ]*\).*/\1/p')
  for file in "$here/$1"/*.label; do
    [ -e "$file" ] || continue
    case $(cat "$file") in "$wanted" | "$wanted="*) basename "$file" .label ;; esac
  done
}
restic() { # VERB
  verb=$1
  if [ -e "$here/fails-$verb" ]; then
    cat "$here/fails-$verb"
    exit 12
  fi
  case $verb in
    backup)
      id=$(printf '%064d' "$(($(ls "$here/snapshots" | wc -l) + 1))")
      into=$here/snapshots/$id
      mkdir -p "$into"
      printf '%s\n' "$call" | tr ' ' '\n' | sed -n 's#^type=bind,"source=\(.*\)","target=/backup/\([^"]*\)".*#\1 \2#p' |
        while read -r from to; do mkdir -p "$(dirname "$into/$to")" && cp -a "$from" "$into/$to"; done
      excludes=$(source_of /excludes)
      [ -z "$excludes" ] || sed 's#^/backup/##' "$excludes" | while read -r path; do rm -f "$into/$path"; done
      tag=$(printf '%s\n' "$call" | sed -n 's/.*--tag \([^ ]*\).*/\1/p')
      printf '{"id":"%s","time":"2026-11-29T03:30:00Z","hostname":"home","tags":["%s"]}\n' "$id" "$tag" | sed 's/,before/","before/' >>"$here/list"
      echo "{\"message_type\":\"summary\",\"snapshot_id\":\"$id\"}"
      ;;
    restore) cp -a "$here/snapshots/$(printf '%s\n' "$call" | sed -n 's#.* \([0-9a-f]*\):/backup .*#\1#p')/." "$(source_of /restore)/" ;;
    snapshots) jq --slurp . "$here/list" 2>/dev/null || echo '[]' ;;
    stats) echo '{"total_size":4096}' ;;
  esac
}
case $call in
  "info --format"*) echo "$here" ;;
  "volume create "*)
    name=${call##* }
    mkdir -p "$here/volumes/$name/_data"
    printf '%s\n' "$call" | sed -n 's/.*--label \([^ ]*\).*/\1/p' >"$here/volumes/$name.label"
    ;;
  "volume inspect --format {{.Mountpoint}} "*) echo "$here/volumes/${call##* }/_data" ;;
  "volume inspect "*) name=${call##* } && echo "${name##*_} $name $here/volumes/$name/_data" ;;
  "volume ls "*cloudcode.drill*) labelled volumes ;;
  "volume ls "*) project=$(printf '%s\n' "$call" | sed 's/.*project=//') && (cd "$here/volumes" && ls -d "${project}"_* 2>/dev/null) ;;
  "volume rm "*) rm -r "$here/volumes/${call##* }" "$here/volumes/${call##* }.label" ;;
  "network ls "*) labelled networks ;;
  "network rm "*) rm "$here/networks/${call##* }.label" ;;
  "ps --all --quiet --filter label=cloudcode.drill"*) labelled containers ;;
  "rm --force --volumes "*) rm "$here/containers/${call##* }.label" ;;
  *" --name cloudcode-worker "*)
    words=${call##*cloudcode-empty:1 }
    exec python3 -B "${0%/*}/fake-worker.py" "${0%/*}/volumes" "$(source_of /volumes)" "$(source_of /dumps)" "$(source_of /restore)" "$(source_of /out)" \
      "$(source_of /plan)" ${words#-I -B /program }
    ;;
  *" --name cloudcode-restic "*BatchMode=yes*) restic "$(printf '%s\n' "${call##*BatchMode=yes }" | cut -d ' ' -f 1)" ;;
  *" config --format json") sed "s#@own@#$(printf '%s\n' "$call" | sed 's/.*--project-directory \([^ ]*\).*/\1/')#g" "$here/compose.json" ;;
  *" ps --quiet --status running "*) echo c1 ;;
  *" exec -T "*) sh "$here/on-exec" "$call" ;;
  *"--project-name cloudcode-drill-"*" up --detach "*)
    name=$(printf '%s\n' "$call" | sed 's/.*--project-name cloudcode-drill-\([^ ]*\).*/\1/')
    for kind in containers networks; do echo "cloudcode.drill=$name" >"$here/$kind/drill-$name.label"; done
    cp "$(printf '%s\n' "$call" | sed 's/.*--file \([^ ]*\).*/\1/')" "$here/started.json"
    exec sh "$here/on-up"
    ;;
  *" ps --all --format "*) echo 'web|running|unhealthy|0' ;;
esac
exit 0
