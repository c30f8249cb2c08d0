"""Hold the places of topics as those of supervisors are held, and keep what was taken or decided as it is."""

from importlib import import_module

from django.db import migrations, models

COUNT = """
-- Whoever joins or leaves meanwhile waits, and is counted by what follows.
LOCK TABLE projects_projectmember IN SHARE ROW EXCLUSIVE MODE;

-- Once for each statement, however many rows it writes. Everybody locks in one order, within each kind that of ids, so
-- that no two wait for each other: the cycle, which says how large a group is, projects, members, and what is counted
-- with, of supervisors and then of topics. Who supervises and has not said how many they take, takes none.
CREATE OR REPLACE FUNCTION projects_projectmember_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT jsonb_agg(x) INTO steps FROM (
            SELECT project_id, cycle_id, supervisor_id, count(*) AS change FROM after_rows
            WHERE is_active GROUP BY project_id, cycle_id, supervisor_id
        ) x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT jsonb_agg(x) INTO steps FROM (
            SELECT project_id, cycle_id, supervisor_id, -count(*) AS change FROM before_rows
            WHERE is_active GROUP BY project_id, cycle_id, supervisor_id
        ) x;
    ELSE
        SELECT jsonb_agg(x) INTO steps FROM (
            SELECT project_id, cycle_id, supervisor_id, sum(one) AS change FROM (
                SELECT project_id, cycle_id, supervisor_id, 1 AS one FROM after_rows WHERE is_active
                UNION ALL SELECT project_id, cycle_id, supervisor_id, -1 FROM before_rows WHERE is_active
            ) ones GROUP BY project_id, cycle_id, supervisor_id HAVING sum(one) <> 0
        ) x;
    END IF;
    IF steps IS NOT NULL THEN
        PERFORM projects_count_members(steps);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION projects_count_members(steps jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects_projectcycle WHERE id IN (
        SELECT cycle_id FROM jsonb_to_recordset(steps) AS x (cycle_id uuid)
    ) ORDER BY id FOR SHARE;
    PERFORM FROM projects_finalyearproject WHERE id IN (
        SELECT project_id FROM jsonb_to_recordset(steps) AS x (project_id uuid)
    ) ORDER BY id FOR NO KEY UPDATE;

    PERFORM FROM projects_supervisorcapacity WHERE role = 'supervisor' AND (cycle_id, faculty_id) IN (
        SELECT cycle_id, supervisor_id FROM jsonb_to_recordset(steps) AS x (cycle_id uuid, supervisor_id uuid)
    ) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(steps) AS x (cycle_id uuid, supervisor_id uuid, change int)
        WHERE x.change > 0 AND NOT EXISTS (
            SELECT FROM projects_supervisorcapacity capacity
            WHERE capacity.cycle_id = x.cycle_id AND capacity.faculty_id = x.supervisor_id AND role = 'supervisor'
        )
    ) THEN
        RAISE EXCEPTION 'it is not said how many the supervisor takes in the cycle'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_projectmember_capacity_said';
    END IF;
    UPDATE projects_supervisorcapacity capacity SET used_count = used_count + step.change
    FROM (
        SELECT cycle_id, supervisor_id, sum(change) AS change
        FROM jsonb_to_recordset(steps) AS x (cycle_id uuid, supervisor_id uuid, change int)
        GROUP BY cycle_id, supervisor_id HAVING sum(change) <> 0
    ) step
    WHERE step.cycle_id = capacity.cycle_id AND step.supervisor_id = capacity.faculty_id AND role = 'supervisor';

    PERFORM FROM projects_topic WHERE id IN (
        SELECT topic_id FROM jsonb_to_recordset(steps) AS x (project_id uuid)
        JOIN projects_finalyearproject project ON project.id = x.project_id
    ) ORDER BY id FOR NO KEY UPDATE;
    UPDATE projects_topic topic SET taken_count = taken_count + step.change
    FROM (
        SELECT topic_id, sum(change) AS change FROM jsonb_to_recordset(steps) AS x (project_id uuid, change int)
        JOIN projects_finalyearproject project ON project.id = x.project_id
        GROUP BY topic_id HAVING sum(change) <> 0
    ) step
    WHERE step.topic_id = topic.id;

    UPDATE projects_finalyearproject project SET member_count = member_count + step.change
    FROM (
        SELECT project_id, sum(change) AS change FROM jsonb_to_recordset(steps) AS x (project_id uuid, change int)
        GROUP BY project_id HAVING sum(change) <> 0
    ) step
    WHERE step.project_id = project.id;
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(steps) AS x (project_id uuid, change int)
        JOIN projects_finalyearproject project ON project.id = x.project_id
        JOIN projects_projectcycle cycle ON cycle.id = project.cycle_id
        WHERE x.change > 0 AND project.member_count > cycle.max_group_size
    ) THEN
        RAISE EXCEPTION 'the project would have more members than the cycle allows'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_projectmember_group_not_full';
    END IF;
END $$;

-- What anybody did of a project, whether they have left it or not, comes to the whole of it at most.
CREATE FUNCTION projects_projectmember_contribute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects_finalyearproject WHERE id = NEW.project_id FOR NO KEY UPDATE;
    IF (SELECT sum(contribution) FROM projects_projectmember WHERE project_id = NEW.project_id) > 100 THEN
        RAISE EXCEPTION 'the members of a project would have done more than all of it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_projectmember_contributions_fit';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER projects_projectmember_contributed AFTER INSERT ON projects_projectmember
FOR EACH ROW WHEN (NEW.contribution > 0) EXECUTE FUNCTION projects_projectmember_contribute();
CREATE TRIGGER projects_projectmember_contributes AFTER UPDATE OF contribution ON projects_projectmember
FOR EACH ROW WHEN (NEW.contribution > coalesce(OLD.contribution, 0))
EXECUTE FUNCTION projects_projectmember_contribute();

-- A project that is made of another topic takes its members along.
CREATE FUNCTION projects_finalyearproject_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects_topic WHERE id IN (OLD.topic_id, NEW.topic_id) ORDER BY id FOR NO KEY UPDATE;
    UPDATE projects_topic SET taken_count = taken_count - OLD.member_count WHERE id = OLD.topic_id;
    UPDATE projects_topic SET taken_count = taken_count + OLD.member_count WHERE id = NEW.topic_id;
    RETURN NULL;
END $$;
CREATE TRIGGER projects_finalyearproject_moved AFTER UPDATE OF topic_id ON projects_finalyearproject
FOR EACH ROW WHEN (OLD.topic_id IS DISTINCT FROM NEW.topic_id) EXECUTE FUNCTION projects_finalyearproject_move();

-- A topic that has more than it was for is for as many as it has.
UPDATE projects_topic topic SET taken_count = taken.number, places = greatest(places, taken.number)
FROM (
    SELECT topic_id, sum(member_count) AS number FROM projects_finalyearproject
    WHERE member_count > 0 GROUP BY topic_id
) taken
WHERE taken.topic_id = topic.id;
"""
KEEP = """
-- What is counted with a capacity would be forgotten with it.
CREATE FUNCTION projects_keep_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a capacity that is used would be lost'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'projects_supervisorcapacity_kept';
END $$;
CREATE TRIGGER projects_supervisorcapacity_kept BEFORE DELETE ON projects_supervisorcapacity
FOR EACH ROW WHEN (OLD.used_count > 0) EXECUTE FUNCTION projects_keep_capacity();
CREATE TRIGGER projects_supervisorcapacity_stays
BEFORE UPDATE OF cycle_id, faculty_id, role ON projects_supervisorcapacity
FOR EACH ROW WHEN (
    OLD.used_count > 0
    AND (OLD.cycle_id, OLD.faculty_id, OLD.role) IS DISTINCT FROM (NEW.cycle_id, NEW.faculty_id, NEW.role)
)
EXECUTE FUNCTION projects_keep_capacity();

-- All but that a run is published, once.
DROP TRIGGER projects_allocationrun_immutable ON projects_allocationrun;
DROP TRIGGER projects_allocationoutcome_immutable ON projects_allocationoutcome;
CREATE OR REPLACE FUNCTION projects_keep_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'projects_allocationrun' THEN
        IF OLD.published_at IS NULL
            AND to_jsonb(NEW) - '{published_at,published_by_id,updated_at}'::text[]
                = to_jsonb(OLD) - '{published_at,published_by_id,updated_at}'::text[] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what an allocation came to would be changed'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER projects_allocationrun_immutable BEFORE UPDATE OR DELETE ON projects_allocationrun
FOR EACH ROW EXECUTE FUNCTION projects_keep_allocation();
CREATE TRIGGER projects_allocationoutcome_immutable BEFORE UPDATE OR DELETE ON projects_allocationoutcome
FOR EACH ROW EXECUTE FUNCTION projects_keep_allocation();

-- What a run came to is there before it is published, or never.
CREATE FUNCTION projects_keep_outcomes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects_allocationrun WHERE id IN (SELECT run_id FROM after_rows) ORDER BY id FOR SHARE;
    IF EXISTS (
        SELECT FROM projects_allocationrun
        WHERE id IN (SELECT run_id FROM after_rows) AND published_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'a published run would come to something else'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'projects_allocationoutcome_immutable';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER projects_allocationoutcome_added
AFTER INSERT ON projects_allocationoutcome REFERENCING NEW TABLE AS after_rows
FOR EACH STATEMENT EXECUTE FUNCTION projects_keep_outcomes();

-- What a group was allowed to be, it stays allowed to be.
CREATE FUNCTION projects_keep_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM projects_finalyearproject WHERE cycle_id = NEW.id AND member_count > NEW.max_group_size
    ) THEN
        RAISE EXCEPTION 'a group of the cycle has more members'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'projects_projectcycle_groups_fit';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER projects_projectcycle_groups_fit AFTER UPDATE OF max_group_size ON projects_projectcycle
FOR EACH ROW WHEN (NEW.max_group_size < OLD.max_group_size) EXECUTE FUNCTION projects_keep_groups();
"""
FORMER = import_module("projects.migrations.0004_allocate_topics")
UNDO = """
DROP TRIGGER projects_projectcycle_groups_fit ON projects_projectcycle;
DROP FUNCTION projects_keep_groups();
DROP TRIGGER projects_allocationoutcome_added ON projects_allocationoutcome;
DROP FUNCTION projects_keep_outcomes();
DROP TRIGGER projects_supervisorcapacity_stays ON projects_supervisorcapacity;
DROP TRIGGER projects_supervisorcapacity_kept ON projects_supervisorcapacity;
DROP FUNCTION projects_keep_capacity();
DROP TRIGGER projects_projectmember_contributes ON projects_projectmember;
DROP TRIGGER projects_projectmember_contributed ON projects_projectmember;
DROP FUNCTION projects_projectmember_contribute();
DROP TRIGGER projects_finalyearproject_moved ON projects_finalyearproject;
DROP FUNCTION projects_finalyearproject_move();
DROP FUNCTION projects_count_members(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_allocate_topics")]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="taken_count",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, editable=False, help_text="So many students do it."
            ),
        ),
        migrations.AddConstraint(
            model_name="topic",
            constraint=models.CheckConstraint(
                condition=models.Q(("taken_count__gte", 0), ("taken_count__lte", models.F("places"))),
                name="projects_topic_not_exceeded",
                violation_error_code="topic_full",
                violation_error_message="The topic has no place left.",
            ),
        ),
        migrations.RunSQL([COUNT, KEEP], [UNDO, FORMER.DROP, FORMER.CREATE]),
    ]
