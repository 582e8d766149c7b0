#!/bin/sh
# A PostgreSQL container's databases as one text and back, and written to its files. The roles are those that its own environment makes, so that their passwords
# are those of the release.
set -eu
user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
case ${1:?} in
dump) exec pg_dump --username "$user" --clean --if-exists "$database" ;;
load) exec psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$user" "$database" ;;
flush) exec psql --no-psqlrc --quiet --username "$user" --command CHECKPOINT "$database" ;;
esac
