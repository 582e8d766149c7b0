# Docker's configuration. Sourced by install.sh.
# shellcheck shell=sh disable=SC2154 # here, state and journal are install.sh's and transaction.sh's
daemon=/etc/docker/daemon.json

# Not `docker info --format`, which exits with 0 where no daemon answers.
answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
docker_answers() { tries=0; until answers; do tries=$((tries + 1)); [ $tries -lt 10 ] && sleep 2 || return 1; done; }
keeps_containers() { [ "$(timeout 20 docker info --format '{{.LiveRestoreEnabled}}' 2>/dev/null)" = true ]; }
running() { timeout 20 docker ps --quiet --no-trunc 2>/dev/null | sort; }

# A daemon that does not run cannot be asked, but the files of its swarm are there.
swarm() {
  case $(timeout 20 docker info --format '{{.Swarm.LocalNodeState}}' 2>/dev/null) in
    inactive) return 1 ;;
    ?*) return 0 ;;
  esac
  [ -e "$(jq --raw-output '."data-root" // "/var/lib/docker"' $daemon 2>/dev/null || echo /var/lib/docker)/swarm/docker-state.json" ]
}

# The options of dockerd's command line, as keys of daemon.json.
flags() {
  pid=$(systemctl show docker -p MainPID --value)
  { tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || systemctl show docker -p ExecStart --value; } | tr ' ' '\n' |
    sed -n 's/^--\([a-z-]*\).*/\1/p' | sed 's/^\(registry-mirror\|log-opt\|default-address-pool\)$/\1s/; s/^insecure-registry$/insecure-registries/' |
    jq --raw-input . | jq --slurp .
}

# The last log lines of dockerd itself: those of systemd only say that the unit failed.
cause() { # UNIT SINCE
  journalctl --sync 2>/dev/null || true
  journalctl --no-pager -o cat --since "@$2" "_SYSTEMD_UNIT=$1.service" | grep -v 'level=\(info\|debug\|warning\)' | tail -n 3 | cut -c 1-600 | paste -sd ' '
}

restart_docker() {
  since=$(date +%s)
  # It was restarted often while the file was wrong, and systemd would refuse one more start.
  systemctl reset-failed docker 2>/dev/null || true
  timeout 120 systemctl restart docker && docker_answers
}

with_live_restore() { # VALUE
  { cat $daemon 2>/dev/null || echo '{}'; } | jq --argjson value "$1" '."live-restore" = $value' >"$state/meanwhile"
  mv "$state/meanwhile" "$(real $daemon)"
}
# A daemon that fails is restarted by systemd, and by each request at its socket: with the previous file, which may have
# no live-restore, it would end the containers that still run.
halt_docker() { systemctl is-active --quiet docker || systemctl stop docker.socket docker; }

# Containers outlive the daemon's restart only where live-restore is on. The daemon takes that while it runs, but only what the
# file says, not what it no longer says.
undo_docker() {
  # A run that was interrupted before the file has changed nothing of Docker, and the file would not be restored below.
  grep -qxF "$(real $daemon)" "$journal/paths" && command -v dockerd >/dev/null || return 0
  wanted=$(jq '."live-restore" // false' $daemon 2>/dev/null || echo false)
  if ! swarm; then with_live_restore true; fi
  ! answers || { systemctl reload docker && sleep 1; }
  if keeps_containers || [ -z "$(running)" ]; then restart_docker; fi
  if ! swarm; then with_live_restore "$wanted"; fi
  systemctl reload docker
  files_back
}

still_running() { # CONTAINERS
  for container in $1; do
    case $(docker inspect --format '{{.State.Running}} {{.State.ExitCode}}' "$container" 2>/dev/null) in
      # It ended by itself meanwhile, or was removed.
      true* | "false 0" | "") ;;
      *) docker start "$container" || fail "Docker's restart with the new $daemon ended the container $(docker inspect --format '{{.Name}}' "$container")" ;;
    esac
  done
}

# What another owner of the machine set in daemon.json stays (daemon.jq says how the two go together), and so do its containers.
configure_docker() {
  change docker
  mkdir -p /etc/docker
  jq --null-input --argjson swarm "$(swarm && echo true || echo false)" --argjson flags "$(flags)" \
    --slurpfile current "$([ -s $daemon ] && echo $daemon || echo /dev/null)" --slurpfile ours "$here/daemon.json" \
    --slurpfile noted "$([ -s "$state/daemon.json" ] && echo "$state/daemon.json" || echo /dev/null)" \
    '{current: ($current[0] // {}), ours: $ours[0], written: ($noted[0].daemon // {}), before: ($noted[0].before // {}), $flags, $swarm}' |
    jq --sort-keys --from-file "$here/daemon.jq" >"$here/daemon.wanted" || fail "$daemon is not valid JSON"
  write "$state/daemon.json" 600 <"$here/daemon.wanted"
  jq --sort-keys .daemon "$here/daemon.wanted" >"$here/daemon.new"
  if [ -s $daemon ] && jq --sort-keys . $daemon | cmp -s - "$here/daemon.new" && answers; then
    keep
    return
  fi
  dockerd --validate --config-file "$here/daemon.new" || fail "Docker refuses its new $daemon: $(dockerd --validate --config-file "$here/daemon.new" 2>&1 | tail -n 1)"
  containers=$(running)
  write $daemon <"$here/daemon.new"
  systemctl enable docker
  if [ -n "$containers" ] && ! { systemctl reload docker && sleep 1 && keeps_containers; }; then
    say "Docker takes its new $daemon at its next start: now that would stop the containers that run here (it is in swarm mode, or live-restore cannot be turned on)"
    answers || fail "Docker stopped at its new $daemon: $(cause docker "$(($(date +%s) - 60))")"
  else
    restart_docker || fail "Docker did not start with the new $daemon, and the previous file is restored: $(cause docker "$since")"
    still_running "$containers"
  fi
  keep
}
