#!/bin/sh
# Readies the database for a version of CaseCheck, before that version migrates it: the role's password, and a copy of what the version
# before it left. A version does not run on the schema of a later one, so where that one does not become healthy and this version runs
# again, the copy is loaded. In the folder:
#   commit            the version that has the database now
#   former/           what the version before it left:
#     commit, revision, dump   which version, its schema, all data
#   newer.dump        what was there when a copy was loaded last
set -eu
umask 077
commit=${1:?} folder=${2:-/var/lib/postgresql/data/versions} role=${3:-/role.sql}
database() { "$@" --username postgres --dbname casecheck; }

psql --no-psqlrc --quiet --username postgres --file "$role"
mkdir -p "$folder"
last=$(cat "$folder/commit" 2>/dev/null || echo unknown)
# None in a database that is new.
revision=
if [ "$(database psql -XAtc "select to_regclass('alembic_version') is not null")" = t ]; then
  revision=$(database psql -XAtc 'select version_num from alembic_version')
fi
if [ "$last" = "$commit" ] || [ -z "$revision" ]; then
  printf '%s\n' "$commit" >"$folder/commit"
  exit
fi

if [ "$(cat "$folder/former/commit" 2>/dev/null)" = "$commit" ] && [ "$(cat "$folder/former/revision")" != "$revision" ]; then
  database pg_dump --format custom --file "$folder/newer.dump.new"
  mv "$folder/newer.dump.new" "$folder/newer.dump"
  # In one transaction: a request of that moment waits. One that holds what this waits for gives way to it.
  echo "SET deadlock_timeout = '1h'; DROP OWNED BY casecheck;" >"$folder/former/sql"
  pg_restore --file - "$folder/former/dump" >>"$folder/former/sql"
  database psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction --output /dev/null --file "$folder/former/sql"
  echo "casecheck: version $(echo "$commit" | cut -c 1-7) runs again, on the data that it left; what was there since is kept in newer.dump"
  rm -r "$folder/former"
else
  rm -rf "$folder/former.new"
  mkdir "$folder/former.new"
  printf '%s\n' "$last" >"$folder/former.new/commit"
  printf '%s\n' "$revision" >"$folder/former.new/revision"
  database pg_dump --format custom --file "$folder/former.new/dump"
  rm -rf "$folder/former"
  mv "$folder/former.new" "$folder/former"
fi
printf '%s\n' "$commit" >"$folder/commit"
