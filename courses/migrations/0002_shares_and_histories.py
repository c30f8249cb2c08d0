"""What columns alone cannot promise: versions are of their course, shares add up, histories only grow."""

from django.db import migrations

CREATE = """
ALTER TABLE courses_course ADD CONSTRAINT courses_course_version_of_course
    FOREIGN KEY (current_version_id, id) REFERENCES courses_courseversion (id, course_id)
    DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE courses_section ADD CONSTRAINT courses_section_version_of_course
    FOREIGN KEY (course_version_id, course_id) REFERENCES courses_courseversion (id, course_id);

-- Checked at commit, when the last share of a new list is written. The lock lets two transactions that
-- each write a whole list see each other.
CREATE FUNCTION courses_sectioninstructor_check_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked uuid;
    total numeric;
BEGIN
    FOR checked IN
        SELECT id FROM courses_section WHERE id IN (OLD.section_id, NEW.section_id) ORDER BY id FOR NO KEY UPDATE
    LOOP
        SELECT sum(share) INTO total FROM courses_sectioninstructor WHERE section_id = checked;
        IF total <> 100 THEN
            RAISE EXCEPTION 'the shares of section % are % per cent', checked, total
                USING ERRCODE = 'check_violation', CONSTRAINT = 'courses_sectioninstructor_shares_total_100';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER courses_sectioninstructor_shares_total_100
AFTER INSERT OR UPDATE OR DELETE ON courses_sectioninstructor DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION courses_sectioninstructor_check_shares();

CREATE FUNCTION courses_sectionstatusevent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (SELECT FROM courses_section WHERE id = OLD.section_id) THEN
        RAISE EXCEPTION 'a recorded step would be changed or lost'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'courses_sectionstatusevent_immutable';
    END IF;
    RETURN NULL;
END $$;

-- A step goes with its section alone, which is gone at the end of the transaction that deletes both.
CREATE CONSTRAINT TRIGGER courses_sectionstatusevent_kept
AFTER DELETE ON courses_sectionstatusevent DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION courses_sectionstatusevent_refuse_change();

CREATE TRIGGER courses_sectionstatusevent_unchanged
AFTER UPDATE ON courses_sectionstatusevent
FOR EACH ROW EXECUTE FUNCTION courses_sectionstatusevent_refuse_change();
"""

DROP = """
DROP TRIGGER courses_sectionstatusevent_unchanged ON courses_sectionstatusevent;
DROP TRIGGER courses_sectionstatusevent_kept ON courses_sectionstatusevent;
DROP FUNCTION courses_sectionstatusevent_refuse_change();
DROP TRIGGER courses_sectioninstructor_shares_total_100 ON courses_sectioninstructor;
DROP FUNCTION courses_sectioninstructor_check_shares();
ALTER TABLE courses_section DROP CONSTRAINT courses_section_version_of_course;
ALTER TABLE courses_course DROP CONSTRAINT courses_course_version_of_course;
"""


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
