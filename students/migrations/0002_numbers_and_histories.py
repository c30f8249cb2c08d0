"""What columns alone cannot promise: student numbers are issued in turn and final, histories only grow."""

from django.db import migrations

CREATE = """
CREATE SEQUENCE students_student_no AS bigint;

CREATE FUNCTION students_student_keep_student_no() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'student number % would change', OLD.student_no
        USING ERRCODE = 'check_violation', CONSTRAINT = 'students_student_student_no_immutable';
END $$;

CREATE TRIGGER students_student_student_no_immutable
BEFORE UPDATE OF student_no ON students_student
FOR EACH ROW WHEN (OLD.student_no IS DISTINCT FROM NEW.student_no)
EXECUTE FUNCTION students_student_keep_student_no();

CREATE FUNCTION students_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a recorded step would be changed'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER students_studentstatusevent_append_only
BEFORE UPDATE OR DELETE ON students_studentstatusevent
FOR EACH ROW EXECUTE FUNCTION students_keep_history();

CREATE TRIGGER students_programenrollmentevent_append_only
BEFORE UPDATE OR DELETE ON students_programenrollmentevent
FOR EACH ROW EXECUTE FUNCTION students_keep_history();
"""

DROP = """
DROP TRIGGER students_programenrollmentevent_append_only ON students_programenrollmentevent;
DROP TRIGGER students_studentstatusevent_append_only ON students_studentstatusevent;
DROP FUNCTION students_keep_history();
DROP TRIGGER students_student_student_no_immutable ON students_student;
DROP FUNCTION students_student_keep_student_no();
DROP SEQUENCE students_student_no;
"""


class Migration(migrations.Migration):
    dependencies = [("students", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
