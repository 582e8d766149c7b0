#!/bin/sh
# Starts the server with its secrets, which it takes from variables alone: set here, so that Docker shows none of them.
# In the volume /keys: `token`, the key of stored tokens; `user` and `login`, what was applied when it last became ready.
set -eu
umask 077

if [ -s /keys/user ] && [ "$(cat /keys/user)" != "$ADMIN_USERNAME" ]; then
  echo "lwsandboxAdminUsername cannot change any more: the server's user is called $(cat /keys/user)" >&2
  exit 1
fi

# Another key would make every stored token unreadable.
if [ ! -s /keys/token ]; then
  head -c 32 /dev/urandom | base64 | tr -d '\n' >/keys/token.new
  mv /keys/token.new /keys/token
fi
SANDBOX_TOKEN_ENCRYPTION_KEY=$(cat /keys/token)
# Where there is no user yet.
ADMIN_INITIAL_PASSWORD=$(cat /run/secrets/admin-password)
export SANDBOX_TOKEN_ENCRYPTION_KEY ADMIN_INITIAL_PASSWORD
# This one sets the password at every start, also over one that was changed in the pages: so only once for each new one.
if [ "$(cat /keys/login 2>/dev/null)" != "$LOGIN_REVISION" ]; then
  ADMIN_PASSWORD=$ADMIN_INITIAL_PASSWORD
  export ADMIN_PASSWORD
fi

(
  until wget -qO /dev/null "http://127.0.0.1:$PORT/readyz"; do
    kill -0 $$ || exit
    sleep 1
  done
  printf '%s' "$ADMIN_USERNAME" >/keys/user
  printf '%s' "$LOGIN_REVISION" >/keys/login
) &
exec ./server
