"""What columns alone cannot promise: employee numbers are final, histories only grow."""

from django.db import migrations

CREATE = """
CREATE FUNCTION faculty_faculty_keep_employee_no() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'employee number % would change', OLD.employee_no
        USING ERRCODE = 'check_violation', CONSTRAINT = 'faculty_faculty_employee_no_immutable';
END $$;

CREATE TRIGGER faculty_faculty_employee_no_immutable
BEFORE UPDATE OF employee_no ON faculty_faculty
FOR EACH ROW WHEN (OLD.employee_no IS DISTINCT FROM NEW.employee_no)
EXECUTE FUNCTION faculty_faculty_keep_employee_no();

CREATE FUNCTION faculty_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a recorded step would be changed'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER faculty_facultystatusevent_append_only
BEFORE UPDATE OR DELETE ON faculty_facultystatusevent
FOR EACH ROW EXECUTE FUNCTION faculty_keep_history();
"""

DROP = """
DROP TRIGGER faculty_facultystatusevent_append_only ON faculty_facultystatusevent;
DROP FUNCTION faculty_keep_history();
DROP TRIGGER faculty_faculty_employee_no_immutable ON faculty_faculty;
DROP FUNCTION faculty_faculty_keep_employee_no();
"""


class Migration(migrations.Migration):
    dependencies = [("faculty", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
