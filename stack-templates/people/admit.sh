#!/bin/sh
# Authelia's start in a stack with people: first gives an account to those whom seed.sh left in .people.yml. Nobody gets one with the second
# factors of somebody who had the name before.
set -eu
umask 077
config=${CONFIG:-/config}
users=$config/users.yml pending=$config/.people.yml

# Not while sessions of who had such a name before have not ended (service forget), as after a loss of power.
if [ -s "$pending" ] && [ ! -e "$config/.forget" ]; then
  if [ -s "$config/db.sqlite3" ]; then
    # As a start of Authelia does: a new version reads no older database.
    authelia storage migrate up >/dev/null 2>&1 || true
    sed -n 's/^  "\{0,1\}\([^ ":]*\)"\{0,1\}:$/\1/p' "$pending" | while read -r name; do
      authelia storage user webauthn delete "$name" --all
      words=$(authelia storage user totp delete "$name" 2>&1) ||
        case $words in *"no TOTP configuration"*) ;; *) printf '%s\n' "$words" >&2; exit 1 ;; esac
    done
  fi
  # Authelia may have rewritten the file with another indentation.
  depth=$(awk '/^ +[^ ]/ { print match($0, /[^ ]/) - 1; exit }' "$users")
  { cat "$users"; sed "s/^/$(printf "%$((${depth:-2} - 2))s" "")/" "$pending"; } >"$users.admitted"
  mv "$users.admitted" "$users"
  rm "$pending"
fi
exec authelia "$@"
