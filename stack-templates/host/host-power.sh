# Part of cloudcode-host, run within it: a person stops, starts or restarts a stack or one of its services. Its release stays.
# A file of $stack/stopped for each service that was stopped: when, and by whom. `all` is there where the whole stack was. Docker starts
# no container at a boot that was stopped; cloudcode-check and cloudcode-backup read the files. Whatever else starts the stack, such as
# the next release, removes them.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-host's

# Sets $target to the release, and fails where there is no such service.
power() { # SERVICE
  target=$(current)
  [ -n "$target" ] || fail "$name does not run on this host"
  exec >"$log" 2>&1
  services=$(compose "$target" config --services) || fail "the files of release $target are damaged: npm run ops -- rollback $name"
  [ -z "$1" ] || printf '%s\n' "$services" | grep -qxF -e "$1" ||
    fail "$name has no service $1; it has $(printf '%s\n' "$services" | sort | paste -s -d , - | sed 's/,/, /g')"
}

# A rollback may start or leave some: what runs is not stopped.
forget_stopped() {
  [ -d "$stack/stopped" ] || return 0
  for service in $(compose "$target" ps --services --status running); do rm -f "$stack/stopped/$service" "$stack/stopped/all"; done
  rmdir "$stack/stopped" 2>/dev/null || true
}

stopped_by() { # WHO SERVICE...
  who=$1
  shift
  mkdir -p "$stack/stopped"
  for service in "$@"; do printf '%s by %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$who" >"$stack/stopped/$service"; done
}

stop() { # [SERVICE]
  power "$1"
  # shellcheck disable=SC2086 # names of services
  stopped_by "$(operator)" ${1:-all $services}
  compose "$target" stop ${1:+"$1"} || { forget_stopped; result=failed; fail "$name could not be stopped: $(tail -n 1 "$log")"; }
  [ -n "$1" ] || [ ! -e "$stack/machine/halt.sh" ] || sh "$stack/machine/halt.sh" </dev/null
  result=${1:+"$1 "}stopped
  say "$name${1:+/$1} is stopped; npm run ops -- start $name${1:+ $1} starts it again"
}

# The same health checks as for a release. There is no other release to go back to: this one ran before.
healthy() { # SERVICE [WORD...]: these words of Compose instead of the service
  one=$1
  [ $# = 1 ] || shift
  if [ -z "$1" ]; then
    rm -rf "$stack/stopped"
    machine_ready "$target" && started "$target"
  else
    compose "$target" up --detach --wait --wait-timeout "$(plan "$target" timeout)" --no-recreate --no-build --quiet-pull "$@"
  fi && { forget_stopped; return; }
  set -- "$one"
  forget_stopped
  say "cloudcode: $name${1:+/$1} did not become healthy:"
  last_words "$target"
  say "npm run ops -- rollback $name goes back to an earlier release"
  result="${1:+$1 }not healthy"
  exit 1
}

start() { # [SERVICE]
  power "$1"
  healthy "$1"
  result=${1:+"$1 "}running
  say "$name${1:+/$1} is running"
}

restart() { # [SERVICE]
  power "$1"
  [ ! -e "$stack/stopped/${1:-all}" ] ||
    fail "$name${1:+/$1} is stopped since $(head -n 1 "$stack/stopped/${1:-all}"); npm run ops -- start $name${1:+ $1} starts it"
  # What has done its work does not run again.
  running=$(compose "$target" ps --services --status running)
  [ -z "$1" ] || running=$(printf '%s\n' "$running" | grep -xF -e "$1")
  # shellcheck disable=SC2086 # names of services
  [ -z "$running" ] || compose "$target" restart $running || { result=failed; fail "$name could not be restarted: $(tail -n 1 "$log")"; }
  # Not what was stopped, also where another service needs it.
  # shellcheck disable=SC2086 # names of services
  if [ -d "$stack/stopped" ]; then healthy "$1" --no-deps $running; else healthy "$1"; fi
  result=${1:+"$1 "}running
  say "$name${1:+/$1} has restarted and is healthy"
}
