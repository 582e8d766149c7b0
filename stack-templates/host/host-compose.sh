# Part of cloudcode-host, run within it: one release by its compose file and its plan, and what must be ready before it starts.
# shellcheck shell=sh disable=SC2154 # the names are cloudcode-host's

# A timeout here, since a remote command that has started has none; only an image build comes near it.
compose() { # RELEASE ARGUMENT...
  release=$1
  shift
  timeout 30m docker compose --project-name "$project" --project-directory "$stack" \
    --file "$stack/releases/$release/compose.yaml" "$@" </dev/null
}

plan() { # RELEASE KEYWORD: the rest of each such line
  sed -n "s/^$2 //p" "$stack/releases/$1/plan" | sed "s#{release}#/srv/releases/$1#g"
}

current() { basename "$(readlink "$stack/releases/current" 2>/dev/null)" 2>/dev/null; }

# Caddy and an App may ask for the same network at the same moment, and Docker would make two of one name.
networks_ready() {
  plan "$1" network | (
    flock 8
    while read -r network; do
      docker network inspect "$network" >/dev/null 2>&1 ||
        docker network create --label cloudcode.edge="${network#cloudcode-edge-}" "$network" >/dev/null || exit 1
    done
  ) 8>"$stacks/.networks.lock"
}

# After a restart of Docker's daemon, the end of the network of a container that ran before may stay for a while after the container is
# gone: it answers for an address that the next container gets, which then cannot be reached.
ends_left() {
  for network in $(docker network ls --quiet --filter name=cloudcode-); do
    ports=$(find "$interfaces/br-$network/brif" -mindepth 1 2>/dev/null | wc -l)
    containers=$(docker network inspect --format '{{len .Containers}}' "$network") || continue
    [ "$ports" -le "$containers" ] || return 0
  done
  return 1
}

ends_gone() {
  for _ in $(seq 60); do
    ends_left || return 0
    sleep 1
  done
}

# The running container joins new edge networks and leaves old ones (no restart for a Route change), with the plan's names for it there.
join_networks() {
  service=$(plan "$1" joins)
  [ -n "$service" ] || return 0
  container=$(compose "$1" ps --quiet "$service")
  wanted=$(plan "$1" network)
  present=$(docker inspect --format '{{range $n, $_ := .NetworkSettings.Networks}}{{println $n}}{{end}}' "$container")
  for network in $wanted; do
    names=$(plan "$1" alias | sed -n "s/^$network //p")
    if printf '%s\n' "$present" | grep -qxF "$network"; then
      [ -n "$names" ] || continue
      known=$(docker inspect --format "{{range (index .NetworkSettings.Networks \"$network\").Aliases}}{{println .}}{{end}}" "$container")
      missing=$(for one in $names; do printf '%s\n' "$known" | grep -qxF "$one" || echo "$one"; done)
      [ -n "$missing" ] || continue
      docker network disconnect "$network" "$container" || return 1
    fi
    # shellcheck disable=SC2046 # options
    docker network connect $(for one in $names; do printf '%s ' --alias "$one"; done) "$network" "$container" || return 1
  done
  for network in $(printf '%s\n' "$present" | grep '^cloudcode-edge-'); do
    printf '%s\n' "$wanted" | grep -qxF "$network" || docker network disconnect "$network" "$container"
  done
}

# Not `config --images SERVICE`: that lists the images of what the service depends on, too.
image_of() { # RELEASE SERVICE
  compose "$1" config --format json | jq --raw-output --arg service "$2" '.services[$service].image'
}

# Writes down that cloudcode brought an image, which cloudcode-space may remove one day; others' images it leaves.
brought() { # IMAGE
  (
    flock 6
    grep -qsxF "$1" "$stacks/.images" || printf '%s\n' "$1" >>"$stacks/.images"
  ) 6>"$stacks/.images.lock"
}

images_ready() {
  plan "$1" build | while read -r service; do
    image=$(image_of "$1" "$service")
    docker image inspect "$image" >/dev/null 2>&1 || { compose "$1" build --quiet "$service" && brought "$image"; } || exit 1
  done || { say "cloudcode: the image of $name could not be built:"; return 1; }
  missing=$(for image in $(compose "$1" config --images); do docker image inspect "$image" >/dev/null 2>&1 || echo "$image"; done)
  [ -n "$missing" ] || return 0
  for image in $missing; do
    { timeout 15m docker pull --quiet "$image" && brought "$image"; } ||
      { say "cloudcode: $image could not be pulled; is its registry reachable from the host (see registryMirrors, imageRegistry)?"; return 1; }
  done
}

memory_enough() { # RELEASE
  plan "$1" memory | while read -r needed setting; do
    present=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "$meminfo")
    [ "$present" -ge "$needed" ] ||
      { say "cloudcode: $name needs a machine with $needed MiB of memory or more ($setting), this one has $present; nothing was touched"; exit 1; }
  done
}

processor_fits() { # RELEASE
  needed=$(plan "$1" processor)
  [ -z "$needed" ] || [ "$needed" = "$(uname -m)" ] ||
    { say "cloudcode: $name has images for $needed only, and this machine's processor is $(uname -m): switch $name off, or use another machine; nothing was touched"; return 1; }
}

# What the stack needs of the machine in addition to Docker; its scripts are kept next to the releases, so that a removal can
# uninstall whatever became of them.
machine_ready() { # RELEASE
  [ -d "$stack/releases/$1/host" ] || return 0
  rm -rf "$stack/machine" && cp -a "$stack/releases/$1/host" "$stack/machine" &&
    timeout 25m sh "$stack/machine/ready.sh" "$stack" </dev/null
}

checked() {
  if compose "$1" config --quiet && plan "$1" check | while read -r service program arguments; do
    # shellcheck disable=SC2086 # the plan's words are words
    compose "$1" run --rm --no-deps --no-TTY --entrypoint "$program" "$service" $arguments || exit 1
  done; then return 0; fi
  say "cloudcode: release $1 of $name is not valid; nothing was touched:"
  return 1
}
