"""Allocate topics, and count who does the projects that come of it."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
from projects.operations import KeepDetails

CREATE = """
ALTER TABLE projects_finalyearproject ADD CONSTRAINT projects_finalyearproject_topic_of_cycle
    FOREIGN KEY (topic_id, cycle_id) REFERENCES projects_topic (id, cycle_id);

-- A project that gets another supervisor takes its members along, and they are counted anew.
ALTER TABLE projects_projectmember ADD CONSTRAINT projects_projectmember_of_project
    FOREIGN KEY (project_id, cycle_id, supervisor_id)
    REFERENCES projects_finalyearproject (id, cycle_id, supervisor_id) ON UPDATE CASCADE;

-- Once for each statement, however many rows it writes. What is counted with is locked in the order of ids, so that two
-- such statements never wait for each other; who supervises and has not said how many they take, takes none.
CREATE FUNCTION projects_projectmember_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    supervised jsonb;
    grouped jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT jsonb_agg(x) INTO supervised FROM (
            SELECT cycle_id, supervisor_id, count(*) AS change FROM after_rows
            WHERE is_active GROUP BY cycle_id, supervisor_id
        ) x;
        SELECT jsonb_agg(x) INTO grouped FROM (
            SELECT project_id, count(*) AS change FROM after_rows WHERE is_active GROUP BY project_id
        ) x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT jsonb_agg(x) INTO supervised FROM (
            SELECT cycle_id, supervisor_id, -count(*) AS change FROM before_rows
            WHERE is_active GROUP BY cycle_id, supervisor_id
        ) x;
        SELECT jsonb_agg(x) INTO grouped FROM (
            SELECT project_id, -count(*) AS change FROM before_rows WHERE is_active GROUP BY project_id
        ) x;
    ELSE
        SELECT jsonb_agg(x) INTO supervised FROM (
            SELECT cycle_id, supervisor_id, sum(one) AS change FROM (
                SELECT cycle_id, supervisor_id, 1 AS one FROM after_rows WHERE is_active
                UNION ALL SELECT cycle_id, supervisor_id, -1 FROM before_rows WHERE is_active
            ) steps GROUP BY cycle_id, supervisor_id HAVING sum(one) <> 0
        ) x;
        SELECT jsonb_agg(x) INTO grouped FROM (
            SELECT project_id, sum(one) AS change FROM (
                SELECT project_id, 1 AS one FROM after_rows WHERE is_active
                UNION ALL SELECT project_id, -1 FROM before_rows WHERE is_active
            ) steps GROUP BY project_id HAVING sum(one) <> 0
        ) x;
    END IF;
    PERFORM FROM projects_supervisorcapacity capacity
        JOIN jsonb_to_recordset(coalesce(supervised, '[]')) AS x (cycle_id uuid, supervisor_id uuid)
            ON x.cycle_id = capacity.cycle_id AND x.supervisor_id = capacity.faculty_id
        WHERE role = 'supervisor' ORDER BY capacity.id FOR NO KEY UPDATE OF capacity;
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(coalesce(supervised, '[]')) AS x (cycle_id uuid, supervisor_id uuid, change int)
        WHERE x.change > 0 AND NOT EXISTS (
            SELECT FROM projects_supervisorcapacity capacity
            WHERE capacity.cycle_id = x.cycle_id AND capacity.faculty_id = x.supervisor_id AND role = 'supervisor'
        )
    ) THEN
        RAISE EXCEPTION 'it is not said how many the supervisor takes in the cycle'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_projectmember_capacity_said';
    END IF;
    UPDATE projects_supervisorcapacity capacity SET used_count = used_count + x.change
    FROM jsonb_to_recordset(coalesce(supervised, '[]')) AS x (cycle_id uuid, supervisor_id uuid, change int)
    WHERE x.cycle_id = capacity.cycle_id AND x.supervisor_id = capacity.faculty_id AND role = 'supervisor';

    PERFORM FROM projects_finalyearproject project
        JOIN jsonb_to_recordset(coalesce(grouped, '[]')) AS x (project_id uuid) ON x.project_id = project.id
        ORDER BY project.id FOR NO KEY UPDATE OF project;
    UPDATE projects_finalyearproject project SET member_count = member_count + x.change
    FROM jsonb_to_recordset(coalesce(grouped, '[]')) AS x (project_id uuid, change int)
    WHERE x.project_id = project.id;
    IF EXISTS (
        SELECT FROM jsonb_to_recordset(coalesce(grouped, '[]')) AS x (project_id uuid, change int)
        JOIN projects_finalyearproject project ON project.id = x.project_id
        JOIN projects_projectcycle cycle ON cycle.id = project.cycle_id
        WHERE x.change > 0 AND project.member_count > cycle.max_group_size
    ) THEN
        RAISE EXCEPTION 'the project would have more members than the cycle allows'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_projectmember_group_not_full';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_projectmember_joined
AFTER INSERT ON projects_projectmember REFERENCING NEW TABLE AS after_rows
FOR EACH STATEMENT EXECUTE FUNCTION projects_projectmember_count();

CREATE TRIGGER projects_projectmember_changed
AFTER UPDATE ON projects_projectmember REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
FOR EACH STATEMENT EXECUTE FUNCTION projects_projectmember_count();

CREATE TRIGGER projects_projectmember_left
AFTER DELETE ON projects_projectmember REFERENCING OLD TABLE AS before_rows
FOR EACH STATEMENT EXECUTE FUNCTION projects_projectmember_count();

CREATE FUNCTION projects_keep_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what an allocation came to would be changed'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

-- All but that it is published, once.
CREATE TRIGGER projects_allocationrun_immutable
BEFORE UPDATE ON projects_allocationrun
FOR EACH ROW WHEN (
    OLD.published_at IS NOT NULL OR (OLD.cycle_id, OLD.algorithm, OLD.document, OLD.input_hash, OLD.students_count,
    OLD.placed_count, OLD.first_choices_count, OLD.proposals_count, OLD.requested_by_id)
    IS DISTINCT FROM (NEW.cycle_id, NEW.algorithm, NEW.document, NEW.input_hash, NEW.students_count,
    NEW.placed_count, NEW.first_choices_count, NEW.proposals_count, NEW.requested_by_id)
)
EXECUTE FUNCTION projects_keep_allocation();

CREATE TRIGGER projects_allocationoutcome_immutable
BEFORE UPDATE ON projects_allocationoutcome
FOR EACH ROW EXECUTE FUNCTION projects_keep_allocation();
"""
DROP = """
DROP TRIGGER projects_allocationoutcome_immutable ON projects_allocationoutcome;
DROP TRIGGER projects_allocationrun_immutable ON projects_allocationrun;
DROP FUNCTION projects_keep_allocation();
DROP TRIGGER projects_projectmember_left ON projects_projectmember;
DROP TRIGGER projects_projectmember_changed ON projects_projectmember;
DROP TRIGGER projects_projectmember_joined ON projects_projectmember;
DROP FUNCTION projects_projectmember_count();
ALTER TABLE projects_projectmember DROP CONSTRAINT projects_projectmember_of_project;
ALTER TABLE projects_finalyearproject DROP CONSTRAINT projects_finalyearproject_topic_of_cycle;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("departments", "0006_find_waived_reservations"),
        ("faculty", "0005_reservations"),
        ("projects", "0003_plan_cycles"),
        ("students", "0007_let_erasure_empty_reasons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AllocationOutcome",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "rank",
                    models.PositiveSmallIntegerField(
                        help_text="Which of their choices it is; null where it is none.", null=True
                    ),
                ),
                ("missed", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="AllocationRun",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("algorithm", models.CharField(default="spa_student", editable=False, max_length=20)),
                ("document", models.JSONField(editable=False)),
                (
                    "input_hash",
                    models.CharField(editable=False, help_text="SHA-256 of all that it was decided by.", max_length=64),
                ),
                ("students_count", models.PositiveIntegerField(editable=False, help_text="How many want a topic.")),
                ("placed_count", models.PositiveIntegerField(editable=False, help_text="How many of them get one.")),
                (
                    "first_choices_count",
                    models.PositiveIntegerField(editable=False, help_text="How many get the one they want most."),
                ),
                (
                    "proposals_count",
                    models.PositiveIntegerField(editable=False, help_text="How many choices were tried."),
                ),
                ("published_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={"permissions": (("publish_allocationrun", "Can make projects of an allocation"),)},
        ),
        migrations.CreateModel(
            name="FinalYearProject",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        db_column="id",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="final_year_data",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                ("project_type", models.CharField(default="final_year", editable=False, max_length=20)),
                (
                    "code",
                    models.CharField(
                        help_text="P, the year in two digits, and a number; final once it is given.", max_length=16
                    ),
                ),
                ("topic_local", models.CharField(help_text="In the language of instruction.", max_length=255)),
                ("topic_en", models.CharField(blank=True, help_text="In English.", max_length=255)),
                ("member_count", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="ProjectMember",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "contribution",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="How much of the work is theirs, in per cent; empty as long as nobody has said.",
                        max_digits=5,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
            ],
        ),
        migrations.AlterConstraint(
            model_name="projectcycle",
            name="projects_projectcycle_group_sizes",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_group_size__lte", 20),
                    ("min_group_size__gte", 1),
                    ("min_group_size__lte", models.F("max_group_size")),
                ),
                name="projects_projectcycle_group_sizes",
                violation_error_code="group_size_out_of_range",
                violation_error_message="A group has from 1 to 20 members, the most not below the least.",
            ),
        ),
        migrations.AddField(
            model_name="allocationoutcome",
            name="student",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="allocation_outcomes", to="students.student"
            ),
        ),
        migrations.AddField(
            model_name="allocationoutcome",
            name="topic",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="projects.topic"
            ),
        ),
        migrations.AddField(
            model_name="allocationrun",
            name="cycle",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allocation_runs",
                to="projects.projectcycle",
            ),
        ),
        migrations.AddField(
            model_name="allocationrun",
            name="published_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="allocationrun",
            name="requested_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="allocationoutcome",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="outcomes",
                to="projects.allocationrun",
            ),
        ),
        migrations.AddField(
            model_name="finalyearproject",
            name="cycle",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="projects", to="projects.projectcycle"
            ),
        ),
        migrations.AddField(
            model_name="finalyearproject",
            name="supervisor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="supervised_projects", to="faculty.faculty"
            ),
        ),
        migrations.AddField(
            model_name="finalyearproject",
            name="topic",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="projects",
                to="projects.topic",
            ),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="cycle",
            field=models.ForeignKey(
                db_constraint=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="projects.projectcycle",
            ),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="projects.finalyearproject",
            ),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="student",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="project_memberships",
                to="students.student",
            ),
        ),
        migrations.AddField(
            model_name="projectmember",
            name="supervisor",
            field=models.ForeignKey(
                db_constraint=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="faculty.faculty",
            ),
        ),
        migrations.AddIndex(
            model_name="allocationrun",
            index=models.Index(fields=["cycle", "created_at", "id"], name="projects_run_by_cycle"),
        ),
        migrations.AddIndex(
            model_name="allocationrun",
            index=models.Index(fields=["created_at", "id"], name="projects_run_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="allocationrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("published_at__isnull", False)),
                fields=("cycle",),
                name="projects_allocationrun_one_published",
                violation_error_code="allocation_published",
                violation_error_message="An allocation of this cycle is published already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocationrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("algorithm", "spa_student")),
                name="projects_allocationrun_algorithm_known",
                violation_error_code="invalid_choice",
                violation_error_message="The algorithm is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="allocationoutcome",
            index=models.Index(fields=["created_at", "id"], name="projects_outcome_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="allocationoutcome",
            constraint=models.UniqueConstraint(
                fields=("run", "student"),
                name="projects_allocationoutcome_once",
                violation_error_code="conflict",
                violation_error_message="The run has an outcome for the student already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocationoutcome",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("rank__isnull", True), ("topic__isnull", True)),
                    models.Q(("rank__gte", 1), ("topic__isnull", False)),
                    _connector="OR",
                ),
                name="projects_allocationoutcome_ranked",
                violation_error_code="invalid",
                violation_error_message="An outcome has a rank exactly when it has a topic.",
            ),
        ),
        migrations.AddConstraint(
            model_name="finalyearproject",
            constraint=models.CheckConstraint(
                condition=models.Q(("project_type", "final_year")),
                name="projects_finalyearproject_type",
                violation_error_code="subtype_mismatch",
                violation_error_message="What a kind of project adds belongs to a project of that kind.",
            ),
        ),
        migrations.AddConstraint(
            model_name="finalyearproject",
            constraint=models.CheckConstraint(
                condition=models.Q(("topic_local", ""), _negated=True),
                name="projects_finalyearproject_topic_local_given",
                violation_error_code="required",
                violation_error_message="Topic is required.",
            ),
        ),
        migrations.AddConstraint(
            model_name="finalyearproject",
            constraint=models.UniqueConstraint(
                fields=("code",),
                name="projects_finalyearproject_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another project has this code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="finalyearproject",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^P[0-9]{5,}$")),
                name="projects_finalyearproject_code_spelled",
                violation_error_code="invalid",
                violation_error_message="A code is P, the year in two digits, and a number of three digits or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="finalyearproject",
            constraint=models.UniqueConstraint(
                fields=("project", "cycle", "supervisor"),
                name="projects_finalyearproject_identity",
                violation_error_code="conflict",
                violation_error_message="A project has one cycle and one supervisor.",
            ),
        ),
        migrations.AddIndex(
            model_name="projectmember",
            index=models.Index(fields=["student", "created_at", "id"], name="projects_member_by_student"),
        ),
        migrations.AddConstraint(
            model_name="projectmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("student", "cycle"),
                name="projects_projectmember_one_active",
                violation_error_code="already_in_project",
                violation_error_message="The student does a project in this cycle already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectmember",
            constraint=models.UniqueConstraint(
                fields=("project", "student"),
                name="projects_projectmember_once",
                violation_error_code="member_taken",
                violation_error_message="The student is a member of this project already, or was.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectmember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("contribution__isnull", True),
                    models.Q(("contribution__gte", 0), ("contribution__lte", 100)),
                    _connector="OR",
                ),
                name="projects_projectmember_contribution_in_range",
                violation_error_code="contribution_out_of_range",
                violation_error_message="A contribution lies between 0 and 100 per cent.",
            ),
        ),
        KeepDetails("projects_finalyearproject"),
        migrations.RunSQL(CREATE, DROP),
    ]
