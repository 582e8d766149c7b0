#!/bin/sh
# A dump of the database at start and then every day; keeps the newest ones. Restored with
#   pg_restore --clean --if-exists --username postgres --dbname casecheck FILE
set -eu
umask 077
kept=${1:?} folder=${2:-/var/lib/postgresql/data}
while :; do
  dump=$folder/casecheck-$(date -u +%Y%m%dT%H%M%SZ).dump
  pg_dump --format custom --username postgres --dbname casecheck --file "$folder/incomplete"
  mv "$folder/incomplete" "$dump"
  find "$folder" -name 'casecheck-*.dump' | sort -r | tail -n +$((kept + 1)) | while read -r old; do rm -f "$old"; done
  [ "${3:-}" != once ] || exit 0
  sleep 86400
done
