"""Keep what is handed in for milestones, version by version, with files that nobody takes away."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models.lookups import GreaterThan

import core.ids

CREATE = """
-- The counter of the milestone is raised in the transaction that adds the version: others wait for it, and a number that
-- is given back was never seen. Until when it was due is read from the same row.
CREATE FUNCTION projects_number_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE projects_milestone SET submission_count = submission_count + 1 WHERE id = NEW.milestone_id
    RETURNING submission_count, greatest(due_at, extended_until) INTO NEW.version_no, NEW.due_at;
    RETURN NEW;
END $$;

CREATE TRIGGER projects_submission_number
BEFORE INSERT ON projects_submission
FOR EACH ROW EXECUTE FUNCTION projects_number_submission();

-- All but what is said of it, once.
CREATE TRIGGER projects_submission_immutable
BEFORE UPDATE ON projects_submission
FOR EACH ROW WHEN (
    OLD.decided_at IS NOT NULL OR (OLD.milestone_id, OLD.version_no, OLD.statement, OLD.files_count, OLD.submitted_at,
    OLD.submitted_by_id, OLD.due_at) IS DISTINCT FROM (NEW.milestone_id, NEW.version_no, NEW.statement, NEW.files_count,
    NEW.submitted_at, NEW.submitted_by_id, NEW.due_at)
)
EXECUTE FUNCTION projects_keep_settled();

CREATE TRIGGER projects_submission_kept
BEFORE DELETE ON projects_submission
FOR EACH ROW EXECUTE FUNCTION projects_keep_settled();

CREATE TRIGGER projects_submissionfile_immutable
BEFORE UPDATE OR DELETE ON projects_submissionfile
FOR EACH ROW EXECUTE FUNCTION projects_keep_settled();

-- A version says at its beginning how many files it has. At commit it has them, and then there is no place for another.
CREATE FUNCTION projects_check_submission_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM projects_submissionfile WHERE submission_id = NEW.id) <> NEW.files_count THEN
        RAISE EXCEPTION 'the version has other files than it says'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER projects_submission_whole
AFTER INSERT ON projects_submission DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION projects_check_submission_whole();

CREATE FUNCTION projects_check_submission_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position > (SELECT files_count FROM projects_submission WHERE id = NEW.submission_id) THEN
        RAISE EXCEPTION 'the version has no place for another file'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'projects_submissionfile_in_time';
    END IF;
    -- Shared, so that whoever deletes it meanwhile comes before, or after.
    IF (SELECT deleted_at FROM files_fileasset WHERE id = NEW.asset_id FOR SHARE) IS NOT NULL THEN
        RAISE EXCEPTION 'the file is deleted'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'projects_submissionfile_present';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER projects_submissionfile_in_time
BEFORE INSERT ON projects_submissionfile
FOR EACH ROW EXECUTE FUNCTION projects_check_submission_file();

CREATE FUNCTION projects_keep_submitted_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM projects_submissionfile WHERE asset_id = OLD.id) THEN
        RAISE EXCEPTION 'the file was handed in'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

-- The foreign key keeps the row, and this what it says.
CREATE TRIGGER projects_submissionfile_keeps_file
BEFORE UPDATE OF deleted_at, sha256, size, name, media_type ON files_fileasset
FOR EACH ROW WHEN (
    (OLD.deleted_at, OLD.sha256, OLD.size, OLD.name, OLD.media_type)
    IS DISTINCT FROM (NEW.deleted_at, NEW.sha256, NEW.size, NEW.name, NEW.media_type)
)
EXECUTE FUNCTION projects_keep_submitted_file();
"""
DROP = """
DROP TRIGGER projects_submissionfile_keeps_file ON files_fileasset;
DROP FUNCTION projects_keep_submitted_file();
DROP TRIGGER projects_submissionfile_in_time ON projects_submissionfile;
DROP FUNCTION projects_check_submission_file();
DROP TRIGGER projects_submission_whole ON projects_submission;
DROP FUNCTION projects_check_submission_whole();
DROP TRIGGER projects_submissionfile_immutable ON projects_submissionfile;
DROP TRIGGER projects_submission_kept ON projects_submission;
DROP TRIGGER projects_submission_immutable ON projects_submission;
DROP TRIGGER projects_submission_number ON projects_submission;
DROP FUNCTION projects_number_submission();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0006_take_files_in_parts"),
        ("projects", "0006_plan_milestones"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="milestone",
            name="submission_count",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.CreateModel(
            name="Submission",
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
                ("version_no", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "statement",
                    models.TextField(blank=True, help_text="What those who hand it in say of it.", max_length=5000),
                ),
                ("files_count", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("submitted_at", models.DateTimeField(editable=False)),
                ("due_at", models.DateTimeField(editable=False)),
                (
                    "is_late",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.ExpressionWrapper(
                            models.Q(GreaterThan(models.F("submitted_at"), models.F("due_at"))),
                            output_field=models.BooleanField(),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("accepted", "Accepted"), ("returned", "Returned")],
                        editable=False,
                        help_text="Empty as long as there is none.",
                        max_length=10,
                    ),
                ),
                ("feedback", models.TextField(blank=True, editable=False, max_length=5000)),
                ("decided_at", models.DateTimeField(editable=False, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "milestone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="projects.milestone",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["submitted_at", "id"], name="projects_submission_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("milestone", "version_no"),
                        name="projects_submission_version_once",
                        violation_error_code="conflict",
                        violation_error_message="The milestone has this version already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("files_count__lte", 20)),
                        name="projects_submission_files_in_range",
                        violation_error_code="too_many_files",
                        violation_error_message="At most 20 files are handed in at once.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("decision", "")),
                            models.Q(("decided_at__isnull", False), ("decision__in", ["accepted", "returned"])),
                            _connector="OR",
                        ),
                        name="projects_submission_decided",
                        violation_error_code="invalid",
                        violation_error_message="What was decided says when, and what was not says nothing.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubmissionFile",
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
                ("position", models.PositiveSmallIntegerField()),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="submissions", to="files.fileasset"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="projects.submission",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("submission", "position"),
                        name="projects_submissionfile_place_once",
                        violation_error_code="conflict",
                        violation_error_message="Another file stands at this place.",
                    ),
                    models.UniqueConstraint(
                        fields=("submission", "asset"),
                        name="projects_submissionfile_file_once",
                        violation_error_code="file_repeated",
                        violation_error_message="A file is handed in twice.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("position__gte", 1)),
                        name="projects_submissionfile_place_counted",
                        violation_error_code="invalid",
                        violation_error_message="Places are counted from 1.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
