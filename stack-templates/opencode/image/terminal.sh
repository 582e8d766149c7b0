#!/bin/sh
# One window of the web terminal: a view of the session that runs in the server's container, and goes on when the view is closed.
while :; do
  # -N: never starts one here, where no agent is.
  if tmux -N -u -S "$TERMINAL_SOCKET" new-session -A -s terminal 2>/dev/null; then exit; fi
  echo "The workspace is starting."
  sleep 1
done
