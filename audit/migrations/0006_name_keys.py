"""Entries name the API key that a program acted with, beside its account."""

from django.db import migrations, models

LOGS = ("audit_event", "audit_disclosure", "audit_change", "audit_redaction")
# What was written before the column was there keeps its digest: an empty one counts as none.
DIGEST = """
CREATE OR REPLACE FUNCTION audit_digest(entry jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(
        (entry - CASE entry ->> 'key_prefix' WHEN '' THEN 'key_prefix' ELSE '' END)::text, 'UTF8'
    )), 'hex')
$$
"""
FORMER_DIGEST = """
CREATE OR REPLACE FUNCTION audit_digest(entry jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE
AS $$ SELECT encode(sha256(convert_to(entry::text, 'UTF8')), 'hex') $$
"""
# Each on its own: nobody waits for one log while another is locked. None rewrites a table.
ADD = "ALTER TABLE {} ADD COLUMN IF NOT EXISTS key_prefix varchar(8) DEFAULT '' NOT NULL"
# What triggers and functions write takes it from the statement that they are part of.
FROM_STATEMENT = "ALTER TABLE {} ALTER COLUMN key_prefix SET DEFAULT left(coalesce(current_setting('campushub360.key', true), ''), 8)"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("audit", "0005_bound_erasing"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL([DIGEST], [FORMER_DIGEST]),
                migrations.RunSQL(
                    [statement.format(log) for statement in (ADD, FROM_STATEMENT) for log in LOGS],
                    [f"ALTER TABLE {log} DROP COLUMN IF EXISTS key_prefix" for log in LOGS],
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name=name,
                    name="key_prefix",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The part after `chk_` of the API key that the account acted with, if it was one.",
                        max_length=8,
                    ),
                )
                for name in ("event", "disclosure", "change", "redaction")
            ],
        ),
    ]
