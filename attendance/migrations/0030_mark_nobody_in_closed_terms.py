"""Marks of a term that is closed stay as they are, and no term is closed while marks are being written in it.

Once a statement, however many marks it writes. The triggers come before those that hold summaries, by their names, in
which order the database fires them: whoever leaves a section keeps its term in its state before they hold a summary.
"""

from django.db import migrations

# The name of the lock is that of `departments.services.calendar`. What it guards is read by a later statement.
BUILD = """
CREATE FUNCTION attendance_refuse_closed_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sections uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT section_id) INTO sections FROM after_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT section_id) INTO sections FROM before_rows;
    ELSE
        SELECT array_agg(DISTINCT after_rows.section_id) INTO sections FROM after_rows JOIN before_rows USING (id)
        WHERE (after_rows.code_id, after_rows.minutes_late, after_rows.session_id, after_rows.enrollment_id)
            IS DISTINCT FROM
            (before_rows.code_id, before_rows.minutes_late, before_rows.session_id, before_rows.enrollment_id);
    END IF;
    IF sections IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('departments.term.state:' || term_id, 0))
    FROM (SELECT DISTINCT term_id FROM courses_section WHERE id = ANY (sections) ORDER BY term_id) AS terms;
    IF EXISTS (
        SELECT FROM courses_section c JOIN departments_term t ON t.id = c.term_id
        WHERE c.id = ANY (sections) AND t.state IN ('closed', 'archived')
    ) THEN
        RAISE EXCEPTION 'somebody would be marked in a term that is closed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attendance_attendancerecord_term_open';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER attendance_closed_terms_made AFTER INSERT ON attendance_attendancerecord
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION attendance_refuse_closed_terms();
CREATE TRIGGER attendance_closed_terms_gone AFTER DELETE ON attendance_attendancerecord
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION attendance_refuse_closed_terms();
CREATE TRIGGER attendance_closed_terms_changed AFTER UPDATE ON attendance_attendancerecord
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION attendance_refuse_closed_terms();
"""
UNDO = """
DROP TRIGGER attendance_closed_terms_made ON attendance_attendancerecord;
DROP TRIGGER attendance_closed_terms_gone ON attendance_attendancerecord;
DROP TRIGGER attendance_closed_terms_changed ON attendance_attendancerecord;
DROP FUNCTION attendance_refuse_closed_terms();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0029_flag_two_places"),
        ("courses", "0002_shares_and_histories"),
    ]

    operations = [migrations.RunSQL(BUILD, UNDO)]
