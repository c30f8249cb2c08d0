"""Steps of excuses and of substitutions stay as they were recorded, but for their reasons, which erasure empties."""

from django.db import migrations

CREATE = """
CREATE FUNCTION attendance_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('campushub360.erasing', true) = 'on'
        AND to_jsonb(NEW) - '{reason,updated_at}'::text[] = to_jsonb(OLD) - '{reason,updated_at}'::text[] THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a recorded step would be changed or lost'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER attendance_excuseevent_append_only AFTER UPDATE OR DELETE ON attendance_excuseevent
    FOR EACH ROW EXECUTE FUNCTION attendance_keep_history();
CREATE TRIGGER attendance_substitutionevent_append_only AFTER UPDATE OR DELETE ON attendance_substitutionevent
    FOR EACH ROW EXECUTE FUNCTION attendance_keep_history();
"""
UNDO = """
DROP TRIGGER attendance_substitutionevent_append_only ON attendance_substitutionevent;
DROP TRIGGER attendance_excuseevent_append_only ON attendance_excuseevent;
DROP FUNCTION attendance_keep_history();
"""


class Migration(migrations.Migration):
    dependencies = [("attendance", "0020_count_revisions_of_sessions")]

    operations = [migrations.RunSQL(CREATE, UNDO)]
