"""Projects, and what each kind of them adds: neither is there without the other."""

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids
import core.search
import projects.kinds
from projects.operations import KeepDetails

# Asked at commit, when both are written. The table is named after the type, so there is no list of types to keep; where
# there is no such table, there is no such kind.
DETAILS = """
CREATE FUNCTION projects_check_details(checked uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kind text;
    details regclass;
    is_there boolean := false;
BEGIN
    SELECT project_type INTO kind FROM projects_project WHERE id = checked;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    details := to_regclass(quote_ident('projects_' || replace(kind, '_', '') || 'project'));
    IF details IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE id = $1)', details) INTO is_there USING checked;
    END IF;
    IF NOT is_there THEN
        RAISE EXCEPTION 'project % has not what a project of type % has', checked, kind
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'projects_project_details_exist';
    END IF;
END $$;

CREATE FUNCTION projects_check_details_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_check_details(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION projects_check_details_of_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_check_details(OLD.id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER projects_project_details_exist AFTER INSERT OR UPDATE OF id, project_type ON projects_project
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION projects_check_details_of_new();
"""
NO_DETAILS = """
DROP TRIGGER projects_project_details_exist ON projects_project;
DROP FUNCTION projects_check_details_of_old();
DROP FUNCTION projects_check_details_of_new();
DROP FUNCTION projects_check_details(uuid);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0008_note_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Project",
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
                (
                    "custom_data",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        decoder=core.db.json.ExactDecoder,
                        default=dict,
                        editable=False,
                        encoder=core.db.json.ExactEncoder,
                    ),
                ),
                ("project_type", models.CharField(choices=projects.kinds.project_types, max_length=20)),
                ("name", models.CharField(max_length=255)),
                ("start_date", models.DateField(blank=True, null=True)),
                ("end_date", models.DateField(blank=True, help_text="The last day.", null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("active", "Active"), ("completed", "Completed")],
                        default="draft",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "is_draft",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.ExpressionWrapper(
                            models.Q(("state", "draft")), output_field=models.BooleanField()
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("name"), models.Value(""))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": (
                    ("view_every_project", "Can see every project"),
                    ("manage_every_project", "Can change every project"),
                ),
            },
        ),
        migrations.CreateModel(
            name="SchoolProject",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        db_column="id",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="school_data",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                ("project_type", models.CharField(default="school", editable=False, max_length=20)),
                ("course_name", models.CharField(max_length=255)),
                ("course_code", models.CharField(max_length=50)),
                ("teacher_name", models.CharField(max_length=255)),
            ],
            options={
                "indexes": [models.Index(fields=["course_code"], name="projects_school_by_course")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("project_type", "school")),
                        name="projects_schoolproject_type",
                        violation_error_code="subtype_mismatch",
                        violation_error_message="What a kind of project adds belongs to a project of that kind.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("course_name", ""), _negated=True),
                        name="projects_schoolproject_course_name_given",
                        violation_error_code="required",
                        violation_error_message="Course name is required.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("course_code", ""), _negated=True),
                        name="projects_schoolproject_course_code_given",
                        violation_error_code="required",
                        violation_error_message="Course code is required.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("teacher_name", ""), _negated=True),
                        name="projects_schoolproject_teacher_name_given",
                        violation_error_code="required",
                        violation_error_message="Teacher name is required.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SelfStudyProject",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        db_column="id",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="self_study_data",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                ("project_type", models.CharField(default="self_study", editable=False, max_length=20)),
                ("goal_description", models.TextField(max_length=5000)),
                ("study_frequency", models.CharField(max_length=50)),
            ],
            options={
                "indexes": [models.Index(fields=["study_frequency"], name="projects_study_by_frequency")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("project_type", "self_study")),
                        name="projects_selfstudyproject_type",
                        violation_error_code="subtype_mismatch",
                        violation_error_message="What a kind of project adds belongs to a project of that kind.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("goal_description", ""), _negated=True),
                        name="projects_selfstudyproject_goal_description_given",
                        violation_error_code="required",
                        violation_error_message="Goal description is required.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("study_frequency", ""), _negated=True),
                        name="projects_selfstudyproject_study_frequency_given",
                        violation_error_code="required",
                        violation_error_message="Study frequency is required.",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="project",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="projects_project_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="project",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="projects_project_words"
            ),
        ),
        migrations.AddIndex(
            model_name="project",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="projects_project_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="project",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(core.search.Words(core.search.JsonValues(models.F("custom_data")))),
                name="projects_project_custom_words",
            ),
        ),
        migrations.AddIndex(
            model_name="project",
            index=models.Index(fields=["owner", "created_at", "id"], name="projects_project_by_owner"),
        ),
        migrations.AddIndex(
            model_name="project",
            index=models.Index(fields=["created_at", "id"], name="projects_project_by_creation"),
        ),
        migrations.AddIndex(
            model_name="project",
            index=models.Index(fields=["project_type", "created_at", "id"], name="projects_project_by_type"),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(
                fields=("id", "project_type"),
                name="projects_project_type_of_id",
                violation_error_code="conflict",
                violation_error_message="The project is there already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("project_type__regex", "^[a-z]+(_[a-z]+)*$")),
                name="projects_project_type_spelled",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such kind of project.",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["draft", "active", "completed"])),
                name="projects_project_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="projects_project_named",
                violation_error_code="blank",
                violation_error_message="A project has a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("start_date", None), ("end_date", None), ("end_date__gte", models.F("start_date")), _connector="OR"
                ),
                name="projects_project_ends_after_start",
                violation_error_code="ends_before_start",
                violation_error_message="A project does not end before it starts.",
            ),
        ),
        migrations.RunSQL(DETAILS, NO_DETAILS),
        KeepDetails("projects_schoolproject"),
        KeepDetails("projects_selfstudyproject"),
    ]
