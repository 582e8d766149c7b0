# Part of cloudcode-host, run within it: a release replaces another, which runs again where the new one fails.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-host's

switch() { # RELEASE
  ln -sfn "$1" "$stack/releases/next" && mv -T "$stack/releases/next" "$stack/releases/current"
}

# Caddy holds requests for a stack that is restarting, and drops the held ones when it reloads.
others_still() {
  for lock in "$stacks"/.*.lock; do
    case $lock in "$stacks/.$name.lock" | "$stacks/.networks.lock" | "$stacks/.images.lock") ;; *) flock -s -w "$lock_seconds" "$lock" true ;; esac
  done
}

# A container that has just started from `current` needs none, and a reload would cut off the certificates it is asking for.
reload() {
  [ "$(current)" = "$1" ] || reload_as "$1" "$1"
}

# Caddy passes over a configuration that it has already: only a new RELEASE makes it another one.
reload_as() { # RELEASE NAME
  [ -n "$(plan "$1" reload)" ] || return 0
  others_still
  plan "$1" reload | sed "s#RELEASE=[^ ]*/$1#RELEASE=$2#" | while read -r service command; do
    # Where the kernel refuses, a reload may still lose a connection or two: no reason to fail.
    perl "$bin/newest-listener.pl" "$(docker inspect --format '{{.State.Pid}}' "$(compose "$1" ps --quiet "$service")")" </dev/null
    # shellcheck disable=SC2086 # the plan's words are words
    compose "$1" exec -T "$service" $command || exit 1
  done
}

# An interrupted recreation leaves the new container under a temporary name, on which every later `compose up` fails.
tidy_halves() {
  for half in $(docker ps --all --filter "label=com.docker.compose.project=$project" --filter status=created \
    --format '{{.ID}} {{.Names}}' | awk '$2 ~ /^[0-9a-f]+_/ { print $1 }'); do docker rm --force "$half"; done
}

bring_up() { # RELEASE
  tidy_halves
  networks_ready "$1" && start_first "$1" &&
    compose "$1" up --detach --wait --wait-timeout "$(plan "$1" timeout)" --remove-orphans --quiet-pull --no-build &&
    join_networks "$1" && reload "$1"
}

# On a busy host runc loses a container in its first moment now and then; what is really wrong fails again at once.
started() { # RELEASE
  bring_up "$1" && return
  if ends_left; then ends_gone; else tail -n 5 "$log" | grep -q 'OCI runtime create failed' || return; fi
  bring_up "$1"
}

# A new version may change its data so that the old one cannot read it: where backups are set, there is one of just before. One that
# stands for the data of another format is kept until that is dropped.
backed_up() { # NEW PREVIOUS
  { [ -s "$backup_settings" ] && [ -n "$2" ] && [ -d "$stack/releases/$2" ]; } || return 0
  [ "$change" = part ] || [ "$(compose "$1" config --images | sort)" != "$(compose "$2" config --images | sort)" ] || return 0
  set -- "$1" "$2" "$name"
  [ "$change" != part ] || set -- "$@" kept-data
  new=$1
  shift 2
  words=$(CLOUDCODE_HOLDS=$name "$backup" keep "$@") && code=0 || code=$?
  # The id is all that there is to find that backup by: anything else in its place is none.
  snapshot=$(printf '%s\n' "$words" | tail -n 1 | grep -xE '[0-9a-f]{8,64}')
  [ "$code" != 0 ] || [ -z "$snapshot" ] || { printf '%s\n' "$words" | sed '$d' >&3; return 0; }
  snapshot=
  say "$words"
  say "cloudcode: release $new of $name has another version, and there is no backup of what it would change; nothing was touched"
  return 1
}

disconnect() {
  exec >"$log" 2>&1
  release=$(current)
  [ -n "$release" ] || fail "$name does not run on this host"
  reload_as "$release" "$release-$(date +%s%N)" || fail "the streams of $name could not be ended: $(tail -n 1 "$log")"
  result=ended
  say "what $name lets in no more has ended"
}

# On a host on standby (the setting of that name) a stack gets its place and its release, and starts with its data (cloudcode-backup).
waits() { [ -n "$standby" ] && { [ -e "$stack/stopped/all" ] || [ -e "$stack/given" ]; }; }

place_only() { # RELEASE PREVIOUS
  tidy_halves
  if ! { networks_ready "$1" && compose "$1" up --no-start --remove-orphans --quiet-pull --no-build; }; then
    result="not made"
    fail "the containers of $name could not be made: $(tail -n 1 "$log")"
  fi
  switch "$1"
  printf '%s\n' "$2" >"$stack/previous"
  # shellcheck disable=SC2046 # names of services
  stopped_by standby all $(compose "$1" config --services)
  result="on standby"
}

# Starts a release instead of another; when it does not become healthy, rolls back to the other one.
go_live() { # RELEASE PREVIOUS
  if waits; then place_only "$1" "$2"; return; fi
  rm -rf "$stack/stopped"
  if machine_ready "$1" && started "$1"; then
    switch "$1"
    printf '%s\n' "$2" >"$stack/previous"
    format_settled
    result=running
    return
  fi
  say "cloudcode: release $1 of $name did not become healthy:"
  last_words "$1"
  if [ -n "$2" ] && [ -d "$stack/releases/$2" ]; then
    data_back "$1"
    if machine_ready "$2" && started "$2"; then
      say "release $2 is running again"
      result="not healthy, $2 runs again"
    else
      say "release $2 could not be started again: see $log on the host"
      result="not healthy, $2 neither"
    fi
  else
    compose "$1" down --remove-orphans
    rm -f "$stack/releases/current"
    data_back "$1"
    say "there was no earlier release to go back to"
    result="not healthy"
  fi
  exit 1
}

rollback() { # [RELEASE]
  left=$(current)
  target=${1:-$(cat "$stack/previous" 2>/dev/null)}
  here=
  for folder in "$stack"/releases/*; do [ -L "$folder" ] || [ ! -d "$folder" ] || here="$here${folder##*/} "; done
  [ -n "$target" ] || fail "there is no earlier release of $name on this host"
  [ "$target" != "$left" ] || fail "release $target of $name is the one that runs"
  case " $here" in *" $target "*) ;; *) fail "release $target of $name is not on this host, which has: $here" ;; esac
  exec >"$log" 2>&1
  look_at_format "$target" any
  prepare_data "$target" "$left" || exit 1
  go_live "$target" "$left"
  say "release $target of $name is running and replaces $left"
}
