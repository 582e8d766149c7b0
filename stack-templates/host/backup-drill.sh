# Part of cloudcode-backup, run within it: a drill restores the newest backup of each stack next to what runs, and starts it there behind
# walls: one network without a way out, no published port, no file of the host but a copy of its release.
#   $work/drill/NAME/    that copy, and the compose file of the drill; the folder is there as long as a drill runs
#   $config/drill        the last drill of all stacks: when it ended, how many seconds it took, ok, failed or begun, and words
# All that it starts is labelled cloudcode.drill=NAME.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

drill() { # [NAME...]
  begun=$(date +%s) all='' bad='' good=''
  [ $# -gt 0 ] || all=1
  mkdir -p "$work/drill" && echo $$ >"$work/drill/pid"
  drill_result begun ""
  trap 'drill_ends' EXIT
  trap 'exit 143' INT TERM
  wait_others=15m
  bad=$( (repository_ready look) 3>&1 >&2) || { bad=${bad#cloudcode: }; fail "$bad"; }
  # The index, each pack, and the trees of all snapshots.
  words=$(restic -- check --quiet --with-cache 2>&1) || drill_fault "the repository is damaged: $(printf '%s' "$words" | tail -n 3)"
  restic -- snapshots --json --host "$host" >"$work/drill/snapshots" || { bad="the snapshots cannot be listed"; fail "$bad: see $logs/backup.log"; }
  if [ -n "$all" ]; then
    # What another host runs now has its backups there.
    for one in $(running); do [ -e "$stacks/$one/given" ] || set -- "$@" "$one"; done
  fi
  for one in "$@"; do
    if words=$( (drill_stack "$one") 3>&1 >&2); then
      good="$good${good:+, }$one"
      say "$words"
    else
      drill_fault "$one: $(printf '%s' "$words" | sed 's/^cloudcode: //')"
    fi
    drill_gone "$one"
  done
  [ -z "$bad" ]
}

drill_fault() { # WORDS; the last of their lines is for the status
  say "cloudcode: $1"
  bad="$bad${bad:+; }${1%%: *}: $(printf '%s' "${1#*: }" | tail -n 1)"
}

drill_result() { # STATE WORDS
  [ -n "$all" ] || return 0
  now=$(date +%s)
  printf '%s\t%s\t%s\t%s\n' "$now" "$((now - begun))" "$1" "$(printf '%s' "$2" | tr -s '[:cntrl:]' ' ' | cut -c 1-400)" >"$config/drill.new"
  mv "$config/drill.new" "$config/drill"
}

drill_ends() {
  code=$?
  drill_gone
  hide
  if [ "$code" = 0 ]; then drill_result ok "$good"; else drill_result failed "${bad:-it was cut off}"; fi
}

# A machine that goes has no time for one: what a drill waits for ends, and so does the drill.
drill_yields() {
  pid=$(cat "$work/drill/pid" 2>/dev/null) && grep -q cloudcode-backup "/proc/$pid/cmdline" 2>/dev/null || return 0
  kill -TERM "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    [ -d "/proc/$pid" ] || break
    # shellcheck disable=SC2046 # ids
    docker kill cloudcode-restic cloudcode-worker $(docker ps --quiet --filter label=cloudcode.drill) >/dev/null 2>&1
    sleep 1
  done
}

# Before anything else begins, what a killed drill has left.
drill_cut_off() {
  docker rm --force cloudcode-restic cloudcode-worker >/dev/null 2>&1
  drill_gone
  IFS="$(printf '\t')" read -r begun _ state _ <"$config/drill" || return 0
  [ "$state" != begun ] || { all=1 && drill_result failed "it was cut off"; }
}

# All that there is of a drill, or of one stack in it.
drill_gone() { # [NAME]
  its=label=cloudcode.drill${1:+=$1}
  for container in $(docker ps --all --quiet --filter "$its"); do docker rm --force --volumes "$container"; done >&2
  for network in $(docker network ls --quiet --filter "$its"); do docker network rm "$network"; done >&2
  for volume in $(docker volume ls --quiet --filter "$its"); do docker volume rm --force "$volume"; done >&2
  rm -rf "$work/restore" "$work/drill/${1-}"
}
