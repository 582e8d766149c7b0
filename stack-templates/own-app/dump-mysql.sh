#!/bin/sh
# A MariaDB or MySQL container's database as one text and back, and written to its files.
set -eu
name=${MARIADB_DATABASE:-${MYSQL_DATABASE:?}}
export MYSQL_PWD="${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:?}}"
if command -v mariadb-dump >/dev/null; then dump=mariadb-dump client=mariadb; else dump=mysqldump client=mysql; fi
case ${1:?} in
dump) exec $dump --user=root --single-transaction --routines --events --databases "$name" ;;
load) exec $client --user=root ;;
flush) exec $client --user=root --execute "FLUSH TABLES" ;;
esac
