#!/bin/sh
# Runs one of the two services. API keys come from files, so that they stand neither in the image nor in its environment
# as Docker shows it.
set -eu
for file in /run/secrets/[A-Z]*; do
  [ ! -s "$file" ] || export "$(basename "$file")=$(cat "$file")"
done
# Git writes its global settings here, and not outside the volumes, once this file exists.
mkdir -p "$HOME/.config/git" && touch "$HOME/.config/git/config"

# The image's own programs, whatever the user installs below home; all that they start finds that first.
opencode=$(command -v opencode) python=$(command -v python3) tmux=$(command -v tmux) ttyd=$(command -v ttyd)
# shellcheck source=stack-templates/opencode/image/profile.sh
. /etc/profile.d/workplace.sh

forever() { while :; do "$@" || true; sleep 1; done; }

case $1 in
  server)
    /usr/local/bin/skeleton.sh /etc/skel "$HOME" || echo "The image's files did not arrive in $HOME." >&2
    forever "$python" -I -S /usr/local/lib/workplace/localhost.py 1080 4096 &
    # The shells of the web terminal: here, so that they share localhost and processes with the agent. When memory runs out, they go
    # before OpenCode does.
    mkdir -p "${TERMINAL_SOCKET%/*}"
    forever choom -n 800 -- "$tmux" -D -S "$TERMINAL_SOCKET" >/dev/null 2>&1 &
    exec "$opencode" serve --hostname 0.0.0.0 --port 4096
    ;;
  terminal)
    # A size that a phone shows, and no question or message over the text: what is closed goes on, and ttyd connects again by itself.
    page=/usr/local/lib/workplace/terminal.html
    [ ! -s $page ] || set -- "$@" --index $page
    shift
    exec "$ttyd" "$@" --writable --port 7681 --base-path /terminal --check-origin \
      --client-option fontSize=15 --client-option disableLeaveAlert=true --client-option disableResizeOverlay=true \
      --client-option titleFixed=Terminal /usr/local/bin/terminal.sh
    ;;
  *) exec "$@" ;;
esac
