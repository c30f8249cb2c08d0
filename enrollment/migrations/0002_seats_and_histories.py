"""What columns alone cannot promise: enrolments match their section, its seats are counted, histories only grow."""

from django.db import migrations

CREATE = """
ALTER TABLE enrollment_enrollment ADD CONSTRAINT enrollment_enrollment_section_matches
    FOREIGN KEY (section_id, course_id, term_id) REFERENCES courses_section (id, course_id, term_id);

-- Once for each statement, however many rows it writes: COPY and bulk inserts count their seats in one
-- update for each section. Sections are locked in the order of their ids, so that two such statements
-- never wait for each other. Their own constraint refuses what does not fit.
CREATE FUNCTION enrollment_enrollment_count_seats() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sections uuid[];
    changes bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(section_id), array_agg(change) INTO sections, changes FROM (
            SELECT section_id, count(*) AS change FROM after_rows
            WHERE status IN ('pending', 'enrolled', 'completed') GROUP BY section_id
        ) AS by_section;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(section_id), array_agg(change) INTO sections, changes FROM (
            SELECT section_id, -count(*) AS change FROM before_rows
            WHERE status IN ('pending', 'enrolled', 'completed') GROUP BY section_id
        ) AS by_section;
    ELSE
        SELECT array_agg(section_id), array_agg(change) INTO sections, changes FROM (
            SELECT section_id, sum(seat)::bigint AS change FROM (
                SELECT section_id, 1 AS seat FROM after_rows WHERE status IN ('pending', 'enrolled', 'completed')
                UNION ALL
                SELECT section_id, -1 FROM before_rows WHERE status IN ('pending', 'enrolled', 'completed')
            ) AS seats GROUP BY section_id HAVING sum(seat) <> 0
        ) AS by_section;
    END IF;
    IF sections IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM courses_section WHERE id = ANY (sections) ORDER BY id FOR NO KEY UPDATE;
    UPDATE courses_section SET enrolled_count = enrolled_count + by_section.change
    FROM unnest(sections, changes) AS by_section (section_id, change)
    WHERE id = by_section.section_id;
    RETURN NULL;
END $$;

CREATE TRIGGER enrollment_enrollment_seats_taken
AFTER INSERT ON enrollment_enrollment REFERENCING NEW TABLE AS after_rows
FOR EACH STATEMENT EXECUTE FUNCTION enrollment_enrollment_count_seats();

CREATE TRIGGER enrollment_enrollment_seats_changed
AFTER UPDATE ON enrollment_enrollment REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
FOR EACH STATEMENT EXECUTE FUNCTION enrollment_enrollment_count_seats();

CREATE TRIGGER enrollment_enrollment_seats_freed
AFTER DELETE ON enrollment_enrollment REFERENCING OLD TABLE AS before_rows
FOR EACH STATEMENT EXECUTE FUNCTION enrollment_enrollment_count_seats();

CREATE FUNCTION enrollment_enrollmentevent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (SELECT FROM enrollment_enrollment WHERE id = OLD.enrollment_id) THEN
        RAISE EXCEPTION 'a recorded step would be changed or lost'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'enrollment_enrollmentevent_immutable';
    END IF;
    RETURN NULL;
END $$;

-- A step goes with its enrolment alone, which is gone at the end of the transaction that deletes both.
CREATE CONSTRAINT TRIGGER enrollment_enrollmentevent_kept
AFTER DELETE ON enrollment_enrollmentevent DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION enrollment_enrollmentevent_refuse_change();

CREATE TRIGGER enrollment_enrollmentevent_unchanged
AFTER UPDATE ON enrollment_enrollmentevent
FOR EACH ROW EXECUTE FUNCTION enrollment_enrollmentevent_refuse_change();
"""

DROP = """
DROP TRIGGER enrollment_enrollmentevent_unchanged ON enrollment_enrollmentevent;
DROP TRIGGER enrollment_enrollmentevent_kept ON enrollment_enrollmentevent;
DROP FUNCTION enrollment_enrollmentevent_refuse_change();
DROP TRIGGER enrollment_enrollment_seats_freed ON enrollment_enrollment;
DROP TRIGGER enrollment_enrollment_seats_changed ON enrollment_enrollment;
DROP TRIGGER enrollment_enrollment_seats_taken ON enrollment_enrollment;
DROP FUNCTION enrollment_enrollment_count_seats();
ALTER TABLE enrollment_enrollment DROP CONSTRAINT enrollment_enrollment_section_matches;
"""


class Migration(migrations.Migration):
    dependencies = [("enrollment", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
