# Part of cloudcode-host, run within it: a stack goes, and with it what it had on the machine.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-host's

# Caddy may be on it, and on its way out at this very moment.
remove_network() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    for container in $(docker network inspect --format '{{range $id, $_ := .Containers}}{{$id}} {{end}}' "$1"); do
      docker network disconnect --force "$1" "$container"
    done
    docker network rm "$1" >/dev/null && return 0
    sleep 1
  done
  return 1
}

remove() { # keep-data|delete-data
  exec >"$log" 2>&1
  label=label=com.docker.compose.project=$project
  for container in $(docker ps --all --quiet --filter "$label"); do
    docker stop --time 30 "$container" >/dev/null
    docker rm --force "$container" >/dev/null || fail "container $container of $name could not be removed: see $log"
  done
  for network in $(docker network ls --quiet --filter "$label") $(docker network ls --quiet --filter "label=cloudcode.edge=$name"); do
    remove_network "$network" || fail "network $network of $name could not be removed: see $log"
  done
  [ ! -d "$stack/machine" ] || timeout 10m sh "$stack/machine/gone.sh" "$1" </dev/null ||
    fail "what $name installed on the machine could not be removed: see $log"
  if [ "$1" = delete-data ]; then
    for volume in $(docker volume ls --quiet --filter "$label"); do docker volume rm "$volume" >/dev/null; done
    [ ! -d "$(docker info --format '{{.DockerRootDir}}')/cloudcode-formats/$name" ] || CLOUDCODE_HOLDS=$name "$backup" drop "$name" all >/dev/null
  fi
  images=$(for folder in "$stack"/releases/*; do [ -L "$folder" ] || compose "${folder##*/}" config --images; done 2>/dev/null | sort -u)
  for image in $images; do docker image rm "$image" >/dev/null 2>&1; done
  rm -rf "$stack"
  result=removed
  say "$name is removed"
}
