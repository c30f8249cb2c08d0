from django.db import migrations

DO = """
-- Everybody who is recorded as the same person: whom somebody was merged into, who was merged into them, and so on.
CREATE FUNCTION privacy_same_person(one uuid) RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 3 AS $$
    WITH RECURSIVE same (id, survivor) AS (
        SELECT id, merged_into_id FROM accounts_person WHERE id = one
        UNION
        SELECT other.id, other.merged_into_id
        FROM same JOIN accounts_person AS other ON other.id = same.survivor OR other.merged_into_id = same.id
    )
    SELECT id FROM same
$$;

CREATE OR REPLACE FUNCTION privacy_erasurerequest_respect_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM privacy_legalhold
        WHERE person_id IN (SELECT privacy_same_person(NEW.person_id)) AND released_at IS NULL
    ) THEN
        RAISE EXCEPTION 'the records of % are held', NEW.person_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'privacy_erasurerequest_not_held';
    END IF;
    RETURN NEW;
END $$;
"""
UNDO = """
CREATE OR REPLACE FUNCTION privacy_erasurerequest_respect_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM privacy_legalhold WHERE person_id = NEW.person_id AND released_at IS NULL) THEN
        RAISE EXCEPTION 'the records of % are held', NEW.person_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'privacy_erasurerequest_not_held';
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION privacy_same_person(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0002_hold_and_erase"),
        ("accounts", "0017_log_in_elsewhere"),
    ]

    operations = [migrations.RunSQL(DO, UNDO)]
