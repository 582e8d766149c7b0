#!/bin/sh
# Readies the volumes and puts the operator's entry of the release into Authelia's users file. Authelia owns that file: a
# password changed in the portal and users added by hand stay. Only a changed entry of the release replaces its own user.
# The key of the database stays beside it: one that comes back from a snapshot or a backup is read with its own key.
set -eu
umask 077
entry=${1:-/seed/operator.yml} config=${2:-/config} key=${3:-/run/secrets/encryption-key}
users=$config/users.yml applied=$config/.operator.yml kept=$config/encryption-key

# What a start left that had no room on the disk must never become the users file.
rm -f "$users.new" "$kept.new"

user_of() { [ ! -s "$1" ] || sed -n '2s/^ *"\{0,1\}\([^":]*\)"\{0,1\}:.*/\1/p' "$1"; }

if [ ! -s "$users" ]; then
  # Not cp: a copy would be as read-only as the entry, and Authelia could never change a password.
  cat "$entry" >"$users.new"
elif ! cmp -s "$entry" "$applied"; then
  # Authelia may have rewritten the file with other quotes and indentation: a user ends where the indentation falls back.
  awk -v old="$(user_of "$applied")" -v new="$(user_of "$entry")" '
    !NF { next }
    /^[^ ]/ { skip = 0; print; next }
    {
      indent = match($0, /[^ ]/) - 1
      if (!depth) depth = indent
      if (indent == depth) {
        name = substr($0, indent + 1)
        sub(/:( .*)?$/, "", name)
        gsub(/["\047]/, "", name)
        skip = name == old || name == new
      }
      if (!skip) print
    }' "$users" >"$users.new"
  depth=$(awk '/^ +[^ ]/ { print match($0, /[^ ]/) - 1; exit }' "$users.new")
  awk -v depth="${depth:-2}" 'NR > 1 { printf "%" (depth > 2 ? depth - 2 : 0) "s%s\n", "", $0 }' "$entry" >>"$users.new"
fi
if [ -e "$users.new" ]; then
  mv "$users.new" "$users"
  cp "$entry" "$applied"
fi
chmod 600 "$users"
if [ ! -s "$kept" ]; then
  cat "$key" >"$kept.new"
  mv "$kept.new" "$kept"
fi
[ "$(id -u)" -ne 0 ] || chown -R 8000:8000 "$config"
[ "$(id -u)" -ne 0 ] || [ ! -d /sessions ] || chown -R 8001:8001 /sessions
