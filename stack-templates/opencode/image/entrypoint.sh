#!/bin/sh
# Runs one of the two services. API keys come from files, so that they stand neither in the image nor in its environment
# as Docker shows it.
set -eu
for file in /run/secrets/[A-Z]*; do
  [ ! -s "$file" ] || export "$(basename "$file")=$(cat "$file")"
done
# Git writes its global settings here, and not outside the volumes, once this file exists.
mkdir -p "$HOME/.config/git" && touch "$HOME/.config/git/config"

case $1 in
  server) exec opencode serve --hostname 0.0.0.0 --port 4096 ;;
  terminal) exec ttyd --writable --port 7681 --base-path /terminal --check-origin /bin/bash -l ;;
  *) exec "$@" ;;
esac
