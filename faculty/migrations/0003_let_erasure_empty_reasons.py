"""Steps stay as they were recorded, but for their reasons, which erasure empties: they may say who it was."""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION faculty_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('campushub360.erasing', true) = 'on'
        AND to_jsonb(NEW) - '{reason,updated_at}'::text[] = to_jsonb(OLD) - '{reason,updated_at}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a recorded step would be changed'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
"""
UNDO = """
CREATE OR REPLACE FUNCTION faculty_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a recorded step would be changed'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("faculty", "0002_numbers_and_histories")]

    operations = [migrations.RunSQL(CREATE, UNDO)]
