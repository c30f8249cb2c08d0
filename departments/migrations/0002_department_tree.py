"""The department tree: each row knows its ancestors, and a cycle cannot be stored."""

from django.db import migrations

# The lock serialises changes of the tree: two moves that are harmless alone could close a cycle together.
CREATE = """
CREATE FUNCTION departments_department_set_lineage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('departments_department_tree'));
    above := '{}';
    IF NEW.parent_id IS NOT NULL THEN
        SELECT lineage INTO above FROM departments_department WHERE id = NEW.parent_id;
        IF NEW.id = ANY(above) THEN
            RAISE EXCEPTION 'department % would lie below itself', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'departments_department_no_cycle';
        END IF;
    END IF;
    NEW.lineage := coalesce(above, '{}') || NEW.id;
    RETURN NEW;
END $$;

CREATE TRIGGER departments_department_set_lineage
BEFORE INSERT OR UPDATE OF parent_id ON departments_department
FOR EACH ROW EXECUTE FUNCTION departments_department_set_lineage();

CREATE FUNCTION departments_department_pass_lineage_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE departments_department SET parent_id = parent_id WHERE parent_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER departments_department_pass_lineage_on
AFTER UPDATE OF parent_id ON departments_department
FOR EACH ROW WHEN (OLD.lineage IS DISTINCT FROM NEW.lineage)
EXECUTE FUNCTION departments_department_pass_lineage_on();
"""

DROP = """
DROP TRIGGER departments_department_pass_lineage_on ON departments_department;
DROP TRIGGER departments_department_set_lineage ON departments_department;
DROP FUNCTION departments_department_pass_lineage_on();
DROP FUNCTION departments_department_set_lineage();
"""


class Migration(migrations.Migration):
    dependencies = [("departments", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
