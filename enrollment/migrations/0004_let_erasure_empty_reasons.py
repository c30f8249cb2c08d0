"""Steps stay as they were recorded, but for their reasons, which erasure empties: they may say who it was."""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION enrollment_enrollmentevent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('campushub360.erasing', true) = 'on'
        AND to_jsonb(NEW) - '{reason,updated_at}'::text[] = to_jsonb(OLD) - '{reason,updated_at}'::text[] THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' OR EXISTS (SELECT FROM enrollment_enrollment WHERE id = OLD.enrollment_id) THEN
        RAISE EXCEPTION 'a recorded step would be changed or lost'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'enrollment_enrollmentevent_immutable';
    END IF;
    RETURN NULL;
END $$;
"""
UNDO = """
CREATE OR REPLACE FUNCTION enrollment_enrollmentevent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (SELECT FROM enrollment_enrollment WHERE id = OLD.enrollment_id) THEN
        RAISE EXCEPTION 'a recorded step would be changed or lost'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'enrollment_enrollmentevent_immutable';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("enrollment", "0003_name_enrolments")]

    operations = [migrations.RunSQL(CREATE, UNDO)]
