#!/bin/sh
# The database and the four roles that use it, each with no more rights than its work needs:
#
#   campushub360_migrator   owns everything and changes the schema; `manage.py migrate` connects as it
#   campushub360            reads and writes rows; the application connects as it
#   campushub360_reporting  reads what reporting.sql grants it, and can write nothing
#   campushub360_replicator copies the whole server to its replicas
#
# The container runs it once, when the database volume is empty. It may be run again, as a superuser, by hand: it then
# sets the passwords and rights anew, and takes over a database that the application's own role used to own.
#
# The time limits sit on the roles because PgBouncer in transaction mode passes no session settings on.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set password="$DATABASE_PASSWORD" \
    --set migrator_password="$MIGRATOR_PASSWORD" \
    --set reporting_password="$REPORTING_PASSWORD" \
    --set replication_password="$REPLICATION_PASSWORD" <<'SQL'
SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['campushub360', 'campushub360_migrator', 'campushub360_reporting', 'campushub360_replicator']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE campushub360 LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
ALTER ROLE campushub360 SET statement_timeout = '30s';
ALTER ROLE campushub360 SET lock_timeout = '5s';
ALTER ROLE campushub360 SET idle_in_transaction_session_timeout = '60s';

ALTER ROLE campushub360_migrator LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'migrator_password';

ALTER ROLE campushub360_reporting LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 5 PASSWORD :'reporting_password';
ALTER ROLE campushub360_reporting SET default_transaction_read_only = on;
ALTER ROLE campushub360_reporting SET statement_timeout = '5min';
ALTER ROLE campushub360_reporting SET idle_in_transaction_session_timeout = '60s';

ALTER ROLE campushub360_replicator LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION NOBYPASSRLS
    PASSWORD :'replication_password';

SELECT 'CREATE DATABASE campushub360 OWNER campushub360_migrator'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'campushub360') \gexec

\connect campushub360
SET client_min_messages = warning;
REASSIGN OWNED BY campushub360 TO campushub360_migrator;
ALTER DATABASE campushub360 OWNER TO campushub360_migrator;

REVOKE ALL ON DATABASE campushub360 FROM PUBLIC;
GRANT CONNECT ON DATABASE campushub360 TO campushub360, campushub360_reporting;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO campushub360, campushub360_reporting;

-- What is there, and what migrations will make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO campushub360;
GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO campushub360;
ALTER DEFAULT PRIVILEGES FOR ROLE campushub360_migrator IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO campushub360;
ALTER DEFAULT PRIVILEGES FOR ROLE campushub360_migrator IN SCHEMA public
    GRANT SELECT, USAGE ON SEQUENCES TO campushub360;

-- Which migrations have run is the migrator's to write; a table whose name begins with `audit_` only grows: the
-- application adds rows and reads them. The trigger says so to every such table at the moment it is made.
CREATE OR REPLACE FUNCTION public.keep_rights_least() RETURNS event_trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE made record;
BEGIN
    FOR made IN
        SELECT object.objid::regclass AS name
        FROM pg_event_trigger_ddl_commands() AS object
        JOIN pg_class AS kept ON kept.oid = object.objid AND object.classid = 'pg_class'::regclass
        WHERE kept.relkind IN ('r', 'p') AND kept.relnamespace = 'public'::regnamespace
          AND (starts_with(kept.relname, 'audit_') OR kept.relname = 'django_migrations')
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM campushub360', made.name);
        IF made.name = to_regclass('public.django_migrations') THEN
            EXECUTE format('REVOKE INSERT ON %s FROM campushub360', made.name);
        END IF;
    END LOOP;
END
$$;
DROP EVENT TRIGGER IF EXISTS keep_rights_least;
CREATE EVENT TRIGGER keep_rights_least ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    EXECUTE FUNCTION public.keep_rights_least();

-- The same to the tables that are there already.
SELECT format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM campushub360', oid::regclass)
FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
  AND (starts_with(relname, 'audit_') OR relname = 'django_migrations') \gexec
SELECT format('REVOKE INSERT ON %s FROM campushub360', name)
FROM (
    VALUES (to_regclass('public.django_migrations')), (to_regclass('public.audit_redaction')),
        (to_regclass('public.audit_erasable'))
) AS kept (name)
WHERE name IS NOT NULL \gexec
-- Which tables are kept by month is the migrator's to say as well.
SELECT format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM campushub360', name)
FROM (VALUES (to_regclass('public.core_partitioned'))) AS kept (name)
WHERE name IS NOT NULL \gexec
-- The one way to make a table, which is a month of one of those; and the one way to change an entry of the logs, which
-- erases what may be erased and leaves a trace.
SELECT format('GRANT EXECUTE ON FUNCTION %s TO campushub360', name)
FROM (
    VALUES (to_regprocedure('public.audit_redact(text, bigint[], text[])')),
        (to_regprocedure('public.core_make_months(name, date, date)'))
) AS allowed (name)
WHERE name IS NOT NULL \gexec
SQL
