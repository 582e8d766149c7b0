#!/bin/sh
# Readies the volumes and puts the operator's entry of the release into Authelia's users file. Authelia owns that file: a
# password changed in the portal and users added by hand stay. A changed entry of the release replaces its own user, but for a
# password changed in the portal: that one gives way only to another password of the release.
# The database's key is kept next to it: a database restored from a snapshot or a backup is read with its own key.
set -eu
umask 077
entry=${1:-/seed/operator.yml} config=${2:-/config} key=${3:-/run/secrets/encryption-key}
users=$config/users.yml applied=$config/.operator.yml kept=$config/encryption-key

# What a start left that had no room on the disk must never become the users file.
rm -f "$users.new" "$kept.new"

user_of() { [ ! -s "$1" ] || sed -n '2s/^ *"\{0,1\}\([^":]*\)"\{0,1\}:.*/\1/p' "$1"; }

# The hash of user $2 in the users file $1; nothing where it is not one plain line.
hash_of() {
  [ ! -s "$1" ] || awk -v user="$2" '
    /^[^ ]/ { own = 0; next }
    NF {
      indent = match($0, /[^ ]/) - 1
      if (!depth) depth = indent
      line = substr($0, indent + 1)
      gsub(/["\047]/, "", line)
      if (indent == depth) { own = line == user ":"; inner = 0; next }
      if (own && !inner) inner = indent
      if (own && indent == inner && line ~ /^password: \$argon2id\$[^ ]+$/) { print substr(line, 11); exit }
    }' "$1"
}

if [ ! -s "$users" ]; then
  # Not cp: a copy would be as read-only as the entry, and Authelia could never change a password.
  grep -v '^#' "$entry" >"$users.new"
elif ! cmp -s "$entry" "$applied"; then
  old=$(user_of "$applied") new=$(user_of "$entry")
  before=$(hash_of "$applied" "$old") password=$(hash_of "$entry" "$new") earlier=$(sed -n 's/^# .*: //p' "$entry")
  # The release has the same password as before, perhaps hashed at another cost.
  if [ -n "$before" ] && { [ "$before" = "$password" ] || [ "$before" = "$earlier" ]; }; then
    now=$(hash_of "$users" "$old")
    [ -z "$now" ] || [ "$now" = "$before" ] || password=$now
  fi
  # Authelia may have rewritten the file with other quotes and indentation: a user ends where the indentation falls back.
  awk -v old="$old" -v new="$new" '
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
  # The hash is handed over in the environment, which other users of the machine cannot read.
  password=$password awk -v depth="${depth:-2}" '
    NR == 1 || /^#/ { next }
    ENVIRON["password"] != "" && /^    password: / { $0 = "    password: \047" ENVIRON["password"] "\047" }
    { printf "%" (depth > 2 ? depth - 2 : 0) "s%s\n", "", $0 }' "$entry" >>"$users.new"
fi
if [ -e "$users.new" ]; then
  mv "$users.new" "$users"
  cp "$entry" "$applied"
fi
chmod 600 "$users"
# Authelia watches the file only some time after it has read it. During a start-first update the other container may change the file in
# between: the same byte again lets Authelia read it once more.
head -c 1 "$users" | dd of="$users" conv=notrunc 2>/dev/null || true
if [ ! -s "$kept" ]; then
  cat "$key" >"$kept.new"
  mv "$kept.new" "$kept"
fi
[ "$(id -u)" -ne 0 ] || chown -R 8000:8000 "$config"
[ "$(id -u)" -ne 0 ] || [ ! -d /sessions ] || chown -R 8001:8001 /sessions
