"""Keep the logs of supervisions, signed by both sides."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids

CREATE = """
ALTER TABLE projects_logentry ADD CONSTRAINT projects_logentry_by_member
    FOREIGN KEY (project_id, student_signed_by_id) REFERENCES projects_projectmember (project_id, student_id);

CREATE TRIGGER projects_logentry_immutable
BEFORE UPDATE OR DELETE ON projects_logentry
FOR EACH ROW WHEN (OLD.student_signed_at IS NOT NULL AND OLD.supervisor_signed_at IS NOT NULL)
EXECUTE FUNCTION projects_keep_settled();

-- Whoever has signed has signed what was written then.
CREATE TRIGGER projects_logentry_signature_stands
BEFORE UPDATE ON projects_logentry
FOR EACH ROW WHEN (
    (OLD.project_id, OLD.met_at, OLD.minutes, OLD.summary)
    IS DISTINCT FROM (NEW.project_id, NEW.met_at, NEW.minutes, NEW.summary)
    AND (NEW.student_signed_at IS NOT NULL OR NEW.supervisor_signed_at IS NOT NULL)
)
EXECUTE FUNCTION projects_keep_settled();

CREATE FUNCTION projects_check_supervisor_signs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.supervisor_signed_by_id IS DISTINCT FROM (
        SELECT supervisor_id FROM projects_finalyearproject WHERE id = NEW.project_id
    ) THEN
        RAISE EXCEPTION 'whoever signs as the supervisor is none of the project'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'projects_logentry_by_supervisor';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER projects_logentry_by_supervisor
BEFORE INSERT OR UPDATE OF supervisor_signed_by_id ON projects_logentry
FOR EACH ROW WHEN (NEW.supervisor_signed_by_id IS NOT NULL)
EXECUTE FUNCTION projects_check_supervisor_signs();
"""
DROP = """
DROP TRIGGER projects_logentry_by_supervisor ON projects_logentry;
DROP FUNCTION projects_check_supervisor_signs();
DROP TRIGGER projects_logentry_signature_stands ON projects_logentry;
DROP TRIGGER projects_logentry_immutable ON projects_logentry;
ALTER TABLE projects_logentry DROP CONSTRAINT projects_logentry_by_member;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("faculty", "0005_reservations"),
        ("projects", "0007_keep_submissions"),
        ("students", "0007_let_erasure_empty_reasons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LogEntry",
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
                ("met_at", models.DateTimeField()),
                (
                    "minutes",
                    models.PositiveSmallIntegerField(
                        help_text="How long it took.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                ("summary", models.TextField(help_text="What was said.", max_length=5000)),
                ("student_signed_at", models.DateTimeField(editable=False, null=True)),
                ("supervisor_signed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log_entries",
                        to="projects.finalyearproject",
                    ),
                ),
                (
                    "student_signed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="students.student",
                    ),
                ),
                (
                    "supervisor_signed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="faculty.faculty",
                    ),
                ),
                (
                    "written_by",
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
                "verbose_name": "entry of a supervision log",
                "verbose_name_plural": "entries of supervision logs",
                "permissions": (("sign_logentry", "Can sign what was said in a meeting"),),
                "indexes": [models.Index(fields=["met_at", "id"], name="projects_logentry_by_meeting")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "met_at"),
                        name="projects_logentry_once",
                        violation_error_code="log_entry_taken",
                        violation_error_message="There is an entry about this meeting already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minutes__gte", 1), ("minutes__lte", 1440)),
                        name="projects_logentry_minutes_in_range",
                        violation_error_code="minutes_out_of_range",
                        violation_error_message="A meeting takes between 1 and 1440 minutes.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("summary", ""), _negated=True),
                        name="projects_logentry_said",
                        violation_error_code="blank",
                        violation_error_message="An entry says what was said.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("student_signed_at__isnull", True), ("student_signed_by__isnull", True)),
                            models.Q(("student_signed_at__isnull", False), ("student_signed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="projects_logentry_student_signed",
                        violation_error_code="invalid",
                        violation_error_message="A signature has a person and an instant.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("supervisor_signed_at__isnull", True), ("supervisor_signed_by__isnull", True)),
                            models.Q(("supervisor_signed_at__isnull", False), ("supervisor_signed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="projects_logentry_supervisor_signed",
                        violation_error_code="invalid",
                        violation_error_message="A signature has a person and an instant.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
