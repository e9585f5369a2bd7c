#!/bin/sh
# Makes the cluster on the first start, as POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB say; then becomes the server.
set -eu
[ "${1:-}" = postgres ] || exec "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?}"
  user=${POSTGRES_USER:-postgres}
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --username="$user" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \
    --locale=C.UTF-8 >/dev/null
  rm /tmp/password
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  if [ "${POSTGRES_DB:-$user}" != postgres ]; then
    echo "CREATE DATABASE \"${POSTGRES_DB:-$user}\";" | postgres --single -j -D "$PGDATA" postgres >/dev/null
  fi
fi
exec "$@" -c "listen_addresses=*"
