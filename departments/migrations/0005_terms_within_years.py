"""A term lies within its academic year, whichever of the two is changed."""

from django.db import migrations

# Both look under the lock of the year's row: who changes its days waits for the terms that are being written, and
# they for it. After the row is written, so that what is wrong with it by itself is said first.
CREATE = """
CREATE FUNCTION departments_term_check_year() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    year departments_academicyear;
BEGIN
    SELECT * INTO year FROM departments_academicyear WHERE id = NEW.academic_year_id FOR SHARE;
    IF NEW.starts_on < year.starts_on OR NEW.ends_on > year.ends_on THEN
        RAISE EXCEPTION 'term % does not lie within its academic year', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'departments_term_within_year';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER departments_term_check_year
AFTER INSERT OR UPDATE OF academic_year_id, starts_on, ends_on ON departments_term
FOR EACH ROW EXECUTE FUNCTION departments_term_check_year();

CREATE FUNCTION departments_academicyear_check_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM departments_term
        WHERE academic_year_id = NEW.id AND (starts_on < NEW.starts_on OR ends_on > NEW.ends_on)
    ) THEN
        RAISE EXCEPTION 'academic year % does not hold its terms', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'departments_academicyear_holds_terms';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER departments_academicyear_check_terms
AFTER UPDATE OF starts_on, ends_on ON departments_academicyear
FOR EACH ROW WHEN (NEW.starts_on > OLD.starts_on OR NEW.ends_on < OLD.ends_on)
EXECUTE FUNCTION departments_academicyear_check_terms();
"""

DROP = """
DROP TRIGGER departments_academicyear_check_terms ON departments_academicyear;
DROP TRIGGER departments_term_check_year ON departments_term;
DROP FUNCTION departments_academicyear_check_terms();
DROP FUNCTION departments_term_check_year();
"""

# Years that were recorded shorter than their terms: the terms have sections and enrolments, a year has but terms.
WIDEN = """
UPDATE departments_academicyear AS year
SET starts_on = LEAST(year.starts_on, terms.first_day), ends_on = GREATEST(year.ends_on, terms.last_day),
    version = year.version + 1, updated_at = now()
FROM (
    SELECT academic_year_id, min(starts_on) AS first_day, max(ends_on) AS last_day
    FROM departments_term GROUP BY academic_year_id
) AS terms
WHERE terms.academic_year_id = year.id AND (terms.first_day < year.starts_on OR terms.last_day > year.ends_on);
"""


class Migration(migrations.Migration):
    dependencies = [("departments", "0004_room_reservations")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.RunSQL(WIDEN, migrations.RunSQL.noop),
    ]
