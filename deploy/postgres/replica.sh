#!/bin/sh
# A streaming replica: copies the primary (PRIMARY_HOST, PRIMARY_PORT) to where there is nothing yet (PGDATA), and follows
# it from then on. Arguments go to the server. One that was away for longer than the primary keeps its log
# (wal_keep_size) cannot catch up: remove its data, and it begins anew.
set -eu
umask 077
mkdir -p "$(dirname "$PGDATA")"
printf '*:*:*:campushub360_replicator:%s\n' "$REPLICATION_PASSWORD" > "$PGDATA.pgpass"
primary="host=$PRIMARY_HOST port=$PRIMARY_PORT user=campushub360_replicator passfile='$PGDATA.pgpass'"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # The name is taken when the copy is whole: one that was killed is made again.
    rm -rf "$PGDATA.unfinished"
    pg_basebackup --dbname="$primary dbname=replication" --pgdata="$PGDATA.unfinished" --wal-method=stream \
        --checkpoint=fast --no-password
    touch "$PGDATA.unfinished/standby.signal"
    rm -rf "$PGDATA"
    mv "$PGDATA.unfinished" "$PGDATA"
fi
# The number in a leftover file may be another program's by now.
rm -f "$PGDATA/postmaster.pid"
exec postgres -D "$PGDATA" -c "primary_conninfo=$primary" "$@"
