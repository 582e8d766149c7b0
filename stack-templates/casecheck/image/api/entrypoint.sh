#!/bin/sh
# Runs the API, or readies the database for it. Secrets come from files, so that they stand neither in the image nor in its
# environment as Docker shows it.
set -eu
for file in /run/secrets/*; do
  [ ! -s "$file" ] || export "$(basename "$file")=$(cat "$file")"
done

case $1 in
  api) exec uvicorn app.main:app --host 0.0.0.0 --port 8000 ;;
  migrate)
    python -m alembic upgrade head
    # Twice: a first run does not see the roles it has just made, and leaves the user admin out.
    python -m app.db.seed
    python -m app.db.seed
    python /usr/local/lib/casecheck/admin.py
    ;;
  *) exec "$@" ;;
esac
