# Part of cloudcode-backup, run within it: a home moves to another host, `npm run ops -- move`. What each stack did last stands in its
# folder: `yielded` is the snapshot that its data went away with, `arrived` the one that it came with; `yielding` is there while its
# last backup is made.
# shellcheck shell=sh disable=SC2154,SC2034 # the names are cloudcode-backup's and settings.sh's

door=$stacks/edge/page/moving

# A line a stack, with tabs between: name, what it does here, and both snapshots or `-`.
places() {
  for one in $(all_stacks); do
    does=on
    [ ! -d "$stacks/$one/stopped" ] || does=stopped
    [ ! -e "$stacks/$one/yielding" ] || does=half
    [ ! -e "$stacks/$one/given" ] || does=given
    printf '%s\t%s\t%s\t%s\n' "$one" "$does" "$(cat "$stacks/$one/yielded" 2>/dev/null || echo -)" "$(cat "$stacks/$one/arrived" 2>/dev/null || echo -)" >&3
  done
}

# Size of the data, and free space for data of another host, in KiB.
room() {
  kib=0
  for one in $(all_stacks); do
    which=$(volumes "$one" | cut -d ' ' -f 1)
    [ -z "$which" ] || kib=$((kib + $(size_of "$one" "$which")))
  done
  say "$kib $(df -Pk "$work" | awk 'NR == 2 { print $4 }')"
}

# The edge answers every request with 503, or as before; then nothing is left of a move that did not come to its end.
shut() { mkdir -p "${door%/*}" && : >"$door" && chmod 644 "$door"; }
reopen() { rm -rf "$door" "$work/ahead"; }

# The last backup of a stack here. Nothing writes any more; a database that is dumped runs until its dump is made. `given` is written
# only when the snapshot is whole: until then, the stack can start here again.
yield() { # NAME STACK
  if [ -e "$stacks/$1/given" ] && [ -s "$stacks/$1/yielded" ]; then
    say "$(cat "$stacks/$1/yielded")"
    return
  fi
  wait_others=5m
  repository_ready
  exec 8>"$stacks/.$1.lock"
  locked "$1" 8 || fail "a change of $1 has been running for 900 s; nothing was touched"
  CLOUDCODE_HOLDS=$1
  yielding=$1
  trap 'hide; start "$yielding" >/dev/null 2>&1 && rm -f "$stacks/$yielding/yielding"' EXIT
  : >"$stacks/$1/yielding"
  dumped=$(plan "$1" dump | cut -d ' ' -f 1)
  writing=$(compose "$1" config --services | grep -vxF "${dumped:-/}")
  # shellcheck disable=SC2086 # names of services
  [ -z "$writing" ] || compose "$1" stop $writing >/dev/null 2>&1 || fail "$1 could not be stopped, and runs on"
  save "$1"
  [ -z "$faults" ] || fail "the backup of $1 is not whole, and it runs on"
  [ -n "$snapshot" ] || fail "restic named no snapshot of $1, and it runs on"
  { printf '%s\n' "$snapshot" >"$stacks/$1/yielded" && sync "$stacks/$1/yielded"; } || fail "cannot write below $stacks/$1; $1 runs on"
  trap hide EXIT
  goes "$1" "$2"
  rm -f "$stacks/$1/yielding"
  say "$snapshot"
}

# A snapshot is unpacked and nothing is touched: the restore of a later one then reads only what differs.
ahead() { # NAME SNAPSHOT
  wait_others=5m
  repository_ready look
  [ -n "$(volumes "$1")" ] || fail "$1 has no data on this host: pulumi up makes its place first"
  before=$work/ahead/$1
  take "$2"
  readable "$1" || fail "snapshot $2 has data of a newer format than the release of $1 that is here can read: set that version first"
  mkdir -p "$work/ahead"
  mv "$work/restore" "$before"
}

# A stack of a host on standby has its place and its release, and does not run until its data is there.
at_rest() { # NAME
  halt "$1"
  mkdir -p "$stacks/$1/stopped"
  for one in all $(compose "$1" config --services); do printf '%s by standby\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$stacks/$1/stopped/$one"; done
}

# From now on the edge's ports pass connections on to another host, for visitors whose resolver still names this one.
forward() { # ADDRESS STACK
  proxy=/usr/lib/systemd/systemd-socket-proxyd
  [ -x $proxy ] || proxy=/lib/systemd/systemd-socket-proxyd
  [ -x $proxy ] || fail "this host's systemd has no systemd-socket-proxyd"
  for port in 443 80; do
    timeout 20 /usr/bin/python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)' "$1" $port 2>/dev/null ||
      fail "this host does not reach port $port of $1"
  done
  case $1 in *:*) to="[$1]" ;; *) to=$1 ;; esac
  for port in 443 80; do
    cat >"$units/cloudcode-moved-$port.socket" <<END
[Unit]
Description=cloudcode: port $port, for the host that this home moved to

[Socket]
ListenStream=$port

[Install]
WantedBy=sockets.target
END
    cat >"$units/cloudcode-moved-$port.service" <<END
[Unit]
Description=cloudcode: passes connections of port $port on to the host that this home moved to
Requires=cloudcode-moved-$port.socket
After=cloudcode-moved-$port.socket

[Service]
ExecStart=$proxy --connections-max=1024 $to:$port
DynamicUser=yes
NoNewPrivileges=yes
END
  done
  # It would name this host again.
  [ ! -e "$units/cloudcode-name.timer" ] || systemctl stop cloudcode-name.timer
  [ -e "$stacks/edge/given" ] || {
    exec 8>"$stacks/.edge.lock"
    locked edge 8 || fail "a change of edge has been running for 900 s; nothing was touched"
    goes edge "$2"
  }
  systemctl daemon-reload
  for port in 443 80; do
    systemctl enable --now "cloudcode-moved-$port.socket" >/dev/null 2>&1 ||
      fail "port $port does not pass connections on: $(systemctl status --no-pager "cloudcode-moved-$port.socket" 2>&1 | tail -n 1)"
  done
  rm -f "$door"
  say "this host passes connections on to $1"
}

# The ports are needed by the edge itself.
unforward() { # NAME
  [ "$1" = edge ] || return 0
  rm -f "$door"
  for port in 443 80; do
    [ -e "$units/cloudcode-moved-$port.socket" ] || continue
    systemctl disable --now "cloudcode-moved-$port.socket" >/dev/null 2>&1
    systemctl stop "cloudcode-moved-$port.service" 2>/dev/null
    rm -f "$units/cloudcode-moved-$port.socket" "$units/cloudcode-moved-$port.service"
  done
  systemctl daemon-reload
}
