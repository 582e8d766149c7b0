#!/bin/sh
# TG Signer takes its secrets from variables only. They come from files, so that they stand neither in the image nor in its
# environment as Docker shows it.
set -eu
for file in /run/secrets/*; do
  [ ! -s "$file" ] || export "$(basename "$file")=$(cat "$file")"
done
exec python /app/launch.py
