#!/bin/sh
# Part of cloudcode-host, sourced by it: start-first updates of services that may run twice. The new container starts while the old
# one runs; the old one is stopped when the new one is healthy. Both have the same name in their networks, and a client uses the one
# that answers. With `alone` after its name, a service may run twice only while its image and the rest of its stack stay as they are.
# shellcheck disable=SC2154 # project is cloudcode-host's

# Services that may run twice, each with `alone` or nothing. Releases made before 2026-12 have another word for them.
start_first_services() { plan "$1" '\(start-first\|beside\)'; } # RELEASE

# The containers of the stack, but for those of `compose run`. OPTION...
containers() {
  docker ps --all --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False "$@"
}

# Id, hash of the configuration and status of each container of a service.
containers_of() { # SERVICE
  containers --filter "label=com.docker.compose.service=$1" --format '{{.ID}} {{.Label "com.docker.compose.config-hash"}} {{.Status}}'
}

# What a service waits for: a migration, say, must have run before its new container starts.
needs_of() { # RELEASE SERVICE
  twice=$(start_first_services "$1" | cut -d ' ' -f 1)
  compose "$1" config --format json |
    jq --raw-output --arg service "$2" '.services[$service].depends_on // {} | keys[]' |
    while read -r need; do printf '%s\n' "$twice" | grep -qxF "$need" || printf '%s\n' "$need"; done
}

# Whether nothing else of the stack changes, and not the service's image: another image may migrate the data that both containers use.
alone() { # RELEASE SERVICE
  image=$(docker image inspect --format '{{.Id}}' "$(image_of "$1" "$2")") && hashes=$(compose "$1" config --hash '*') || return 1
  label='{{index .Config.Labels "com.docker.compose'
  {
    printf '%s\n' "$hashes"
    # shellcheck disable=SC2046 # ids
    docker inspect --format "$label.service\"}} $label.config-hash\"}} {{.Image}}" $(containers --quiet)
  } | awk -v service="$2" -v image="$image" '
    NF == 2 { wanted[$1] = $2; next }
    $1 == service ? $3 != image : $2 != wanted[$1] { other = 1 }
    END { exit other }'
}

start_first() { # RELEASE
  start_first_services "$1" | while read -r service only; do
    wanted=$(compose "$1" config --hash "$service" | awk '{ print $2 }') && [ -n "$wanted" ] || exit 1
    present=$(containers_of "$service")
    old=$(printf '%s\n' "$present" | awk -v wanted="$wanted" 'NF && $2 != wanted { print $1 }')
    [ -n "$old" ] || continue
    [ -z "$only" ] || alone "$1" "$service" || continue
    if ! printf '%s\n' "$present" | grep -q "^[^ ]* $wanted .*(healthy)"; then
      # One that does not serve is no loss: compose replaces it as any other.
      ! printf '%s\n' "$present" | grep -v " $wanted " | grep -qv '(healthy)' || continue
      needs=$(needs_of "$1" "$service")
      # shellcheck disable=SC2086 # names of services
      [ -z "$needs" ] || compose "$1" up --detach --no-build --quiet-pull $needs || exit 1
      compose "$1" up --detach --wait --wait-timeout "$(plan "$1" timeout)" --no-recreate --no-build --quiet-pull \
        --scale "$service=$(($(printf '%s\n' "$old" | wc -l) + 1))" "$service" || exit 1
    fi
    for container in $old; do docker stop "$container" && docker rm "$container" || exit 1; done
  done
}
