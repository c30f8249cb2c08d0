"""Entries whose personal values were erased stay in their chain: by the digest of what they were."""

import django.db.models.functions.datetime
from django.db import migrations, models

TABLE = """
CREATE TABLE audit_redaction (
    id bigint DEFAULT nextval('audit_entry_id') NOT NULL PRIMARY KEY,
    at timestamptz DEFAULT statement_timestamp() NOT NULL,
    xact bigint DEFAULT audit_xact() NOT NULL,
    actor_id uuid,
    request_id varchar(128) DEFAULT '' NOT NULL,
    log varchar(32) NOT NULL,
    entry_id bigint NOT NULL,
    original varchar(64) NOT NULL,
    redacted varchar(64) NOT NULL
);
CREATE INDEX audit_redaction_entry ON audit_redaction (entry_id);
CREATE INDEX audit_redaction_xact ON audit_redaction USING brin (xact);
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_redaction
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_redaction EXECUTE FUNCTION audit_refuse_change();
-- The chain begins anew: it links digests of entries from now on, and the next seal covers what is there.
ALTER TABLE audit_seal DISABLE TRIGGER audit_no_change;
DELETE FROM audit_seal;
ALTER TABLE audit_seal ENABLE TRIGGER audit_no_change;
-- Redactions come from the function below alone.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'campushub360') AND current_user <> 'campushub360' THEN
        REVOKE INSERT ON audit_redaction FROM campushub360;
    END IF;
END
$$;
"""
FUNCTIONS = """
-- Nobody changes an entry, but for the function that redacts: it says so while it is at it, and only of the logs.
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME ~ '^audit_(event|disclosure|change)(_|$)'
        AND current_setting('campushub360.redacting', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

-- What a history has of some columns, without their values; that there was one, and whether there was none, stays.
CREATE FUNCTION audit_without(changes jsonb, columns text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, CASE WHEN key <> ALL (columns) THEN value ELSE (
        SELECT jsonb_agg(CASE WHEN side = 'null' THEN side ELSE '"[erased]"' END ORDER BY place)
        FROM jsonb_array_elements(value) WITH ORDINALITY AS sides (side, place)
    ) END)
    FROM jsonb_each(changes)
$$;

-- Erases values of some columns from entries of a log, and says of how many. With the rights of its owner, because the
-- application may change no entry; it changes nothing else in them than values that may name somebody. The digest of
-- what an entry was, and of what it is now, goes into a log that is sealed like the others.
CREATE FUNCTION audit_redact(log text, entries bigint[], columns text[]) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    change text;
    entry record;
    after text;
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
    PERFORM set_config('campushub360.redacting', 'on', true);
    FOR entry IN EXECUTE format(
        'SELECT id, at, to_jsonb(log)::text AS before FROM public.%I AS log WHERE id = ANY ($1) ORDER BY id FOR UPDATE', log
    ) USING entries LOOP
        EXECUTE format('UPDATE public.%I AS log SET %s WHERE id = $1 AND at = $2 RETURNING to_jsonb(log)::text', log, change)
            INTO after USING entry.id, entry.at, columns;
        IF after <> entry.before THEN
            INSERT INTO public.audit_redaction (actor_id, request_id, log, entry_id, original, redacted)
            SELECT nullif(current_setting('campushub360.actor', true), '')::uuid,
                coalesce(current_setting('campushub360.request', true), ''), log, entry.id,
                -- Of an entry that is no longer what a redaction left, somebody has made something else: it shows.
                coalesce(
                    (SELECT original FROM public.audit_redaction AS former
                     WHERE former.entry_id = entry.id AND former.log = audit_redact.log AND former.redacted = found.digest
                     ORDER BY former.id DESC LIMIT 1),
                    found.digest
                ),
                encode(sha256(convert_to(after, 'UTF8')), 'hex')
            FROM (SELECT encode(sha256(convert_to(entry.before, 'UTF8')), 'hex')) AS found (digest);
            redacted := redacted + 1;
        END IF;
    END LOOP;
    PERFORM set_config('campushub360.redacting', '', true);
    RETURN redacted;
END
$$;
REVOKE EXECUTE ON FUNCTION audit_redact(text, bigint[], text[]) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'campushub360') THEN
        GRANT EXECUTE ON FUNCTION audit_redact(text, bigint[], text[]) TO campushub360;
    END IF;
END
$$;
"""
UNDO = """
DROP FUNCTION audit_redact(text, bigint[], text[]);
DROP FUNCTION audit_without(jsonb, text[]);
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP TABLE audit_redaction;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_make_seals_and_change_log"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL([TABLE, FUNCTIONS], [UNDO])],
            state_operations=[
                migrations.CreateModel(
                    name="Redaction",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=models.Func(models.Value("audit_entry_id"), function="nextval"),
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        (
                            "xact",
                            models.BigIntegerField(
                                db_default=models.Func(function="audit_xact", output_field=models.BigIntegerField()),
                                editable=False,
                            ),
                        ),
                        (
                            "actor_id",
                            models.UUIDField(
                                help_text="The account that acted; empty for what nobody in person did.", null=True
                            ),
                        ),
                        ("request_id", models.CharField(blank=True, db_default="", default="", max_length=128)),
                        ("log", models.CharField(max_length=32)),
                        ("entry_id", models.BigIntegerField()),
                        (
                            "original",
                            models.CharField(
                                help_text="SHA-256 of the entry as it was written, in hexadecimal.", max_length=64
                            ),
                        ),
                        (
                            "redacted",
                            models.CharField(
                                help_text="SHA-256 of the entry as it is since, in hexadecimal.", max_length=64
                            ),
                        ),
                    ],
                    options={"indexes": [models.Index(fields=["entry_id"], name="audit_redaction_entry")]},
                ),
            ],
        ),
    ]
