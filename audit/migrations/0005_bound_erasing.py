"""Only what the apps declare can be erased from the logs: the owner says which columns those are."""

from django.db import migrations

TABLE = [
    """CREATE TABLE audit_erasable (
    table_name varchar(63),
    column_name varchar(63),
    PRIMARY KEY (table_name, column_name)
)""",
    """
-- The owner fills it after each migration; whoever may erase may read what they may erase.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'campushub360') AND current_user <> 'campushub360' THEN
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_erasable FROM campushub360;
    END IF;
END
$$;
""",
]
CHECKS = """
CREATE FUNCTION audit_digest(entry jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE
AS $$ SELECT encode(sha256(convert_to(entry::text, 'UTF8')), 'hex') $$;

-- Refuses columns of a log, or of the tables whose history the entries are, that nobody has declared.
CREATE FUNCTION audit_require_erasable(log text, entries bigint[], columns text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    undeclared text;
BEGIN
    SELECT string_agg(format('%s.%s', named.table_name, named.column_name), ', ' ORDER BY named) INTO undeclared
    FROM (
        SELECT DISTINCT CASE log WHEN 'audit_change' THEN change.table_name ELSE log END, asked.column_name
        FROM unnest(columns) AS asked (column_name)
        LEFT JOIN public.audit_change AS change ON log = 'audit_change' AND change.id = ANY (entries)
        WHERE log <> 'audit_change' OR change.id IS NOT NULL
    ) AS named (table_name, column_name)
    WHERE (named.table_name, named.column_name) NOT IN (SELECT table_name, column_name FROM public.audit_erasable);
    IF undeclared IS NOT NULL THEN
        RAISE EXCEPTION 'no app declares that erasure takes % out of the logs', undeclared
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
"""
REDACT = """
-- Erases values of some columns from entries of a log, and says of how many. With the rights of its owner, because the
-- application may change no entry; it changes nothing else in them than values that may name somebody. The digest of
-- what an entry was, and of what it is now, goes into a log that is sealed like the others.
CREATE OR REPLACE FUNCTION audit_redact(log text, entries bigint[], columns text[]) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    change text;
    entry record;
    after varchar;
    redacted integer := 0;
BEGIN
    change := CASE log
        WHEN 'audit_change' THEN 'changes = public.audit_without(changes, $3)'
        WHEN 'audit_event' THEN
            $set$actor_label = CASE WHEN 'actor_label' = ANY ($3) AND actor_label <> '' THEN '[erased]' ELSE actor_label END,
            reason = CASE WHEN 'reason' = ANY ($3) AND reason <> '' THEN '[erased]' ELSE reason END,
            address = CASE WHEN 'address' = ANY ($3) THEN NULL ELSE address END$set$
        WHEN 'audit_disclosure' THEN
            $set$actor_label = CASE WHEN 'actor_label' = ANY ($3) AND actor_label <> '' THEN '[erased]' ELSE actor_label END,
            address = CASE WHEN 'address' = ANY ($3) THEN NULL ELSE address END$set$
    END;
    IF change IS NULL THEN
        RAISE EXCEPTION '% is no log to be redacted', log USING ERRCODE = 'invalid_parameter_value';
    END IF;
    {check}
    PERFORM set_config('campushub360.redacting', 'on', true);
    FOR entry IN EXECUTE format(
        'SELECT id, at, public.audit_digest(to_jsonb(log)) AS before FROM public.%I AS log WHERE id = ANY ($1) '
        'ORDER BY id FOR UPDATE', log
    ) USING entries LOOP
        EXECUTE format('UPDATE public.%I AS log SET %s WHERE id = $1 AND at = $2 '
            'RETURNING public.audit_digest(to_jsonb(log))', log, change)
            INTO after USING entry.id, entry.at, columns;
        IF after <> entry.before THEN
            INSERT INTO public.audit_redaction (actor_id, request_id, log, entry_id, original, redacted)
            SELECT nullif(current_setting('campushub360.actor', true), '')::uuid,
                coalesce(current_setting('campushub360.request', true), ''), log, entry.id,
                -- Of an entry that is no longer what a redaction left, somebody has made something else: it shows.
                coalesce(
                    (SELECT original FROM public.audit_redaction AS former
                     WHERE former.entry_id = entry.id AND former.log = audit_redact.log AND former.redacted = entry.before
                     ORDER BY former.id DESC LIMIT 1),
                    entry.before
                ),
                after;
            redacted := redacted + 1;
        END IF;
    END LOOP;
    PERFORM set_config('campushub360.redacting', '', true);
    RETURN redacted;
END
$$;
"""
BOUNDED = REDACT.replace("{check}", "PERFORM public.audit_require_erasable(log, entries, columns);")
# Without the bound the function does what it did before.
UNDO = """
DROP FUNCTION audit_require_erasable(text, bigint[], text[]);
DROP TABLE audit_erasable;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0004_index_times"),
    ]

    operations = [
        migrations.RunSQL(
            [*TABLE, CHECKS, BOUNDED],
            [REDACT.replace("{check}", ""), UNDO],
        ),
    ]
