#!/bin/sh
# Starts PostgreSQL as the public image does: POSTGRES_PASSWORD, POSTGRES_USER and POSTGRES_DB shape a new database.
set -eu

if [ "${1:-}" != postgres ]; then
    exec "$@"
fi
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres: "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "A new database needs POSTGRES_PASSWORD, as in: docker run -e POSTGRES_PASSWORD=secret ..." >&2
        exit 1
    fi
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    password=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:-unused}" > "$password"
    initdb --username="$user" --pwfile="$password" --auth-local=trust --auth-host="$method" --encoding=UTF8
    rm "$password"
    echo "host all all all $method" >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    if [ "$database" != postgres ]; then
        createdb --username="$user" "$database"
    fi
    pg_ctl --wait --mode=fast stop
fi
shift
exec postgres -c listen_addresses='*' "$@"
