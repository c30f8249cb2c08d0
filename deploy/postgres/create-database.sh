#!/bin/sh
# Runs once, when the database volume is empty: the role the application connects as, with its time limits, and its
# database. The limits sit on the role because PgBouncer in transaction mode passes no session settings on.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set password="$DATABASE_PASSWORD" --username postgres <<'SQL'
CREATE ROLE campushub360 LOGIN PASSWORD :'password';
ALTER ROLE campushub360 SET statement_timeout = '30s';
ALTER ROLE campushub360 SET lock_timeout = '5s';
ALTER ROLE campushub360 SET idle_in_transaction_session_timeout = '60s';
CREATE DATABASE campushub360 OWNER campushub360;
SQL
