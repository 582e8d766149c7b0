# Part of cloudcode-backup, run within it: restic and its repository.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

limit=1d
# The same at every run, so that restic knows this machine's locks.
machine=$(printf '%s' "${host-}" | tr -c 'a-zA-Z0-9-' - | cut -c 1-40)-$(cut -c 1-12 /etc/machine-id)
# Runs restic as a process whose number is above 99, and hands it the signals that would end it.
# shellcheck disable=SC2016 # another shell's
numbered='i=0; while [ $i -lt 99 ]; do (:); i=$((i + 1)); done; trap "kill \$!" TERM INT; restic "$@" & while :; do wait $!; code=$?; kill -0 $! 2>/dev/null || exit $code; done'

# restic in its container; what stands before `--` are options of docker, behind it words of restic. $more has more of these words,
# between NULs.
restic() {
  count=0
  for word in "$@"; do [ "$word" = -- ] && break; count=$((count + 1)); done
  before=$count
  while [ "$before" -gt 0 ]; do set -- "$@" "$1"; shift; before=$((before - 1)); done
  shift # --
  words=$(($# - count)) verb=$1
  # Now: words of restic, then options of docker.
  set -- "$@" --rm --name cloudcode-restic --hostname "$machine" --cap-drop ALL --security-opt no-new-privileges:true --memory 1g \
    --env-file "$config/env" --env RESTIC_PASSWORD_FILE=/config/password --env RESTIC_CACHE_DIR=/cache \
    --env "RESTIC_REPOSITORY=$repository" --env RESTIC_PROGRESS_FPS=0 \
    --mount "type=bind,source=$config,target=/config,readonly" --mount type=volume,source=cloudcode-restic-cache,target=/cache
  case $repository in /*) set -- "$@" --mount "type=bind,source=$repository,target=$repository" --cap-add DAC_OVERRIDE ;; esac
  # restic takes a lock of this machine for dead when no process has the number in it (restic/restic#4922). Containers would number all
  # of them alike, so those that take locks have a number that `unlock` has not.
  if [ "$verb" = unlock ]; then
    set -- "$@" --entrypoint restic "$image"
  else
    set -- "$@" --init --entrypoint sh "$image" -c "$numbered" restic
  fi
  case $verb in cat | unlock) ;; *) set -- "$@" --retry-lock "$wait_others" ;; esac
  [ "$verb" != cat ] || set -- "$@" --no-lock
  set -- "$@" --option \
    "sftp.args=-i /config/ssh-key -o UserKnownHostsFile=/config/known-hosts -o HostKeyAlias=backup -o StrictHostKeyChecking=yes -o BatchMode=yes"
  while [ "$words" -gt 0 ]; do set -- "$@" "$1"; shift; words=$((words - 1)); done
  if [ -s "${more:-}" ]; then
    xargs -0 -x -s 1000000 -a "$more" timeout -k 60 "$limit" docker run "$@"
  else
    timeout -k 60 "$limit" docker run "$@" </dev/null
  fi
}

repository_ready() { # [look]: one that was never there is made, unless this only looks
  case $repository in /*) mkdir -p "$repository" ;; esac
  docker stop --time 10 cloudcode-restic >/dev/null 2>&1
  docker rm --force cloudcode-restic >/dev/null 2>&1
  docker image inspect "$image" >/dev/null 2>&1 ||
    { timeout 15m docker pull --quiet "$image" >/dev/null && (flock 6 && printf '%s\n' "$image" >>"$stacks/.images") 6>"$stacks/.images.lock"; } ||
    fail "$image could not be pulled; is its registry reachable from the host (see registryMirrors, imageRegistry)?"
  # A store that does not answer, or a bucket that is not there, would be asked again for a quarter of an hour.
  limit=60s
  words=$(restic -- cat config 2>&1) && code=0 || code=$?
  known=
  [ "$(cat "$config/repository" 2>/dev/null)" != "$repository" ] || known=yes
  if [ -n "$known" ] && [ "$code" = 10 ]; then
    # A new one on the disk below a mount, or in a bucket that somebody emptied, would pass for the backups that are gone.
    fail "the backup repository $repository is gone, with all its backups: is its disk mounted, or was its bucket emptied? None was made in its place. If that is right, rm $config/repository on the host lets npm run ops -- backup make a new one"
  elif [ -n "${1-}$known" ] && [ "$code" = 124 ]; then
    docker rm --force cloudcode-restic >/dev/null 2>&1
    fail "the backup repository $repository does not answer within ${limit%s} s: $(printf '%s' "$words" | tail -n 2)"
  elif [ "${1-}" = look ] && [ "$code" = 10 ]; then
    fail "there is no backup repository at $repository yet: npm run ops -- backup makes it"
  elif [ "$code" = 10 ] || [ "$code" = 124 ]; then
    docker rm --force cloudcode-restic >/dev/null 2>&1
    words=$(restic -- init 2>&1) || fail "the backup repository $repository could not be made: $(printf '%s' "$words" | tail -n 2)"
    say "the backup repository $repository is made"
  elif [ "$code" != 0 ]; then
    fail "the backup repository $repository cannot be opened: $(printf '%s' "$words" | tail -n 2)"
  fi
  limit=1d
  [ -n "$known" ] || printf '%s\n' "$repository" >"$config/repository"
  restic -- unlock >/dev/null 2>&1
}
