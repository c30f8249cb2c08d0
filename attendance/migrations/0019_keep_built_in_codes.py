"""Codes that policies, excuses, readers and check-ins go by keep their names, and are there everywhere."""

from django.db import migrations

# Where one has been renamed, deleted or put out of use, what goes by it counted nothing or failed.
RESTORE = [
    """
INSERT INTO attendance_attendancecode (id, code, label, weight, is_exempt, is_active, takes_minutes, "order")
SELECT gen_random_uuid(), code, label, weight, is_exempt, true, code = 'late', place
FROM (VALUES
    ('present', 'Present', 1, false, 1),
    ('absent', 'Absent', 0, false, 2),
    ('late', 'Late', 1, false, 3),
    ('excused', 'Excused', 0, true, 4),
    ('on_duty', 'On duty', 1, false, 5)
) AS usual (code, label, weight, is_exempt, place)
ON CONFLICT (code) DO NOTHING
""",
    """
UPDATE attendance_attendancecode
SET is_active = true, takes_minutes = takes_minutes OR code = 'late', version = version + 1
WHERE (code IN ('present', 'late', 'excused', 'on_duty') AND NOT is_active) OR (code = 'late' AND NOT takes_minutes)
""",
]
KEEP = """
CREATE FUNCTION attendance_keep_built_in_codes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.code NOT IN ('present', 'absent', 'late', 'excused', 'on_duty') THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.code = OLD.code
        AND (NEW.is_active OR NOT OLD.is_active OR OLD.code = 'absent')
        AND (NEW.takes_minutes OR NOT OLD.takes_minutes OR OLD.code <> 'late') THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the rules go by this attendance code'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attendance_attendancecode_built_in';
END $$;
CREATE TRIGGER attendance_attendancecode_built_in AFTER UPDATE OR DELETE ON attendance_attendancecode
    FOR EACH ROW EXECUTE FUNCTION attendance_keep_built_in_codes();
"""
UNDO = """
DROP TRIGGER attendance_attendancecode_built_in ON attendance_attendancecode;
DROP FUNCTION attendance_keep_built_in_codes();
"""


class Migration(migrations.Migration):
    dependencies = [("attendance", "0018_cover_sections_and_students")]

    operations = [
        migrations.RunSQL(RESTORE, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, UNDO),
    ]
