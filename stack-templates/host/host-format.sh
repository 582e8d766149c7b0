# Part of cloudcode-host, run within it: a release whose data has another format than what is there. A new format migrates the data
# for good, so the host keeps what was there before; docs/architecture.md has the rules.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-host's

# Decides what must happen to the data before a release starts, in $change: nothing, `part` (it is copied, and the release
# migrates it) or `exchange` (what is kept of the release's own format comes back).
look_at_format() { # RELEASE [any]: with the word, also a newer format comes back
  change='' wanted=$(plan "$1" format | cut -d ' ' -f 1)
  formats=${docker_root:=$(docker info --format '{{.DockerRootDir}}')}/cloudcode-formats/$name
  # A release older than the App's formats has the first one.
  [ -n "$wanted" ] || { [ -e "$formats/format" ] && wanted=1; } || return 0
  if [ -z "$(docker volume ls --quiet --filter "label=com.docker.compose.project=$project")" ]; then
    mkdir -p "$formats" && printf '%s\n' "$wanted" >"$formats/format"
    return
  fi
  present=$(cat "$formats/format" 2>/dev/null || echo 1)
  [ "$wanted" != "$present" ] || return 0
  change=part
  [ "$(cat "$formats/kept/format" 2>/dev/null)" != "$wanted" ] || { [ "$wanted" -gt "$present" ] && [ -z "${2-}" ]; } || change=exchange
}

# Does that. Says why not, where it fails; the stack runs then as it did.
prepare_data() { # RELEASE PREVIOUS
  case $change in
    part)
      # A dump would have to be loaded: the files themselves are copied then.
      copy=${snapshot:-}
      [ -z "$(plan "$1" dump)" ] || copy=''
      which=$(plan "$1" format)
      which=${which:-$(plan "$2" format)}
      # shellcheck disable=SC2086 # names of volumes are words
      words=$(CLOUDCODE_HOLDS=$name "$backup" part "$name" "${2:-none}" "$wanted" "$copy" ${which#* }) && code=0 || code=$?
      ;;
    exchange) words=$(CLOUDCODE_HOLDS=$name "$backup" exchange "$name" "${2:-none}") && code=0 || code=$? ;;
    *) return 0 ;;
  esac
  say "$words"
  [ "$code" = 0 ] && return
  say "cloudcode: release $1 of $name was not started"
  return 1
}

# The release did not become healthy: the data as it was before. Otherwise that of the backup of just before.
data_back() { # RELEASE
  case ${change:-} in
    part) set -- unpart "$name" ;;
    exchange) set -- exchange "$name" "$1" ;;
    *) [ -n "${snapshot:-}" ] || return 0; set -- overwrite "$name" "$snapshot" ;;
  esac
  words=$(CLOUDCODE_HOLDS=$name "$backup" "$@")
  say "$words"
}

# What was kept before is dropped once a release of this format is healthy, also where the change itself was cut off.
format_settled() {
  [ -d "$formats/former" ] || return 0
  CLOUDCODE_HOLDS=$name "$backup" settled "$name"
}

# The release that the kept data is of: without it there is no way back.
release_of_kept() { cat "$formats/kept/release" 2>/dev/null; }
