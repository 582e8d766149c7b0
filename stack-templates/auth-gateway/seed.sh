#!/bin/sh
# Readies the volumes and puts the accounts of the release into Authelia's users file: the operator's, the first of them, and those of
# people. Authelia owns that file: a password changed in the portal and users added by hand stay. A changed entry of the release
# replaces its own user, but for a password changed in the portal: that one gives way only to another password of the release. A person
# who is no longer in the release is removed, and a new one is left to admit.sh.
# The database's key is kept next to it: a database restored from a snapshot or a backup is read with its own key.
set -eu
umask 077
entry=${1:-/seed/operator.yml} config=${2:-/config} key=${3:-/run/secrets/encryption-key}
users=$config/users.yml applied=$config/.operator.yml kept=$config/encryption-key
# People who have no account yet; names that were somebody's, each behind `person` or `operator`; whether all sessions must end first.
pending=$config/.people.yml former=$config/.former forget=$config/.forget

# What a start left that had no room on the disk must never become the users file.
rm -f "$users.new" "$kept.new" "$pending.new" "$users.admitted"

# Names in an entry of a release, in its order.
names_of() { [ ! -s "$1" ] || sed -n 's/^  "\{0,1\}\([^ ":]*\)"\{0,1\}:$/\1/p' "$1"; }
people_of() { names_of "$1" | sed 1d; }
is_one() { grep -qxF -- "$1"; } # NAME, the names on standard input

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

# The hash that a user keeps who changed the password in the portal, while the release has the same password as before, perhaps hashed at another cost.
portal_hash() { # NAME OLD-NAME EARLIER-HASH
  before=$(hash_of "$applied" "$2")
  [ -n "$before" ] || return 0
  [ "$before" = "$(hash_of "$entry" "$1")" ] || [ "$before" = "$3" ] || return 0
  now=$(hash_of "$users" "$2")
  [ "$now" = "$before" ] || printf '%s' "$now"
}

# A user of the entry, as deep as the others are. The hash, if one is given in place of the entry's, is handed over in the environment,
# which other users of the machine cannot read.
block() { # NAME HASH DEPTH
  password=$2 awk -v user="$1" -v depth="$3" '
    NR == 1 || /^#/ { next }
    /^  [^ ]/ { name = substr($0, 3); gsub(/[":]/, "", name); own = name == user }
    !own { next }
    ENVIRON["password"] != "" && /^    password: / { $0 = "    password: \047" ENVIRON["password"] "\047" }
    { printf "%" (depth > 2 ? depth - 2 : 0) "s%s\n", "", $0 }' "$entry"
}

# Users of the file but for these. Authelia may have rewritten it with other quotes and indentation: a user ends where the indentation
# falls back.
others() { # NAMES
  awk -v names="$1" '
    BEGIN { split(names, list, " "); for (place in list) dropped[list[place]] = 1 }
    !NF { next }
    /^[^ ]/ { skip = 0; print; next }
    {
      indent = match($0, /[^ ]/) - 1
      if (!depth) depth = indent
      if (indent == depth) {
        name = substr($0, indent + 1)
        sub(/:( .*)?$/, "", name)
        gsub(/["\047]/, "", name)
        skip = name in dropped
      }
      if (!skip) print
    }' "$users"
}

# Remembers a name that is free again: sessions and second factors of who had it may still be there.
was() { # person|operator NAME
  grep -qxF -- "$1 $2" "$former" 2>/dev/null || printf '%s\n' "$1 $2" >>"$former"
}

if [ ! -s "$users" ] || ! cmp -s "$entry" "$applied"; then
  old=$(names_of "$applied" | head -n 1) new=$(names_of "$entry" | head -n 1)
  if people_of "$applied" | is_one "$new" || grep -qxF -- "person $new" "$former" 2>/dev/null; then
    echo "adminUsername is $new, which was a person's name (people): sessions and passkeys of that person would be the operator's. Set another name." >&2
    exit 1
  fi
  [ -z "$old" ] || [ "$old" = "$new" ] || was operator "$old"
  for name in $(people_of "$applied"); do people_of "$entry" | is_one "$name" || was person "$name"; done

  if [ -s "$users" ]; then others "$(names_of "$applied" | tr '\n' ' ')$(names_of "$entry" | tr '\n' ' ')"; else echo users:; fi >"$users.new"
  depth=$(awk '/^ +[^ ]/ { print match($0, /[^ ]/) - 1; exit }' "$users.new")
  block "$new" "$(portal_hash "$new" "$old" "$(sed -n 's/^# .*: //p' "$entry")")" "${depth:-2}" >>"$users.new"
  for name in $(people_of "$entry"); do
    if people_of "$applied" | is_one "$name" && ! names_of "$pending" | is_one "$name"; then
      block "$name" "$(portal_hash "$name" "$name" "")" "${depth:-2}" >>"$users.new"
    else
      block "$name" "" 2 >>"$pending.new"
      # A session of who had the name before, also of a user added by hand, must not become this person's.
      if cut -d ' ' -f 2 "$former" 2>/dev/null | is_one "$name" || [ -n "$(hash_of "$users" "$name")" ]; then : >"$forget"; fi
    fi
  done
  if [ -s "$pending.new" ]; then mv "$pending.new" "$pending"; else rm -f "$pending" "$forget"; fi
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
