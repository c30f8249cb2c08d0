"""Requests to decide about whole terms, and how far they have come."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0023_answer_summaries_from_index"),
        ("courses", "0002_shares_and_histories"),
        ("departments", "0004_room_reservations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DecisionRun",
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
                    "is_dry_run",
                    models.BooleanField(default=False, help_text="Nothing is decided, and what would be is counted."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=7,
                    ),
                ),
                (
                    "failure",
                    models.CharField(
                        blank=True, editable=False, help_text="The code of why it broke off.", max_length=100
                    ),
                ),
                ("sections_total", models.PositiveIntegerField(default=0, editable=False)),
                ("sections_done", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "sections_left_out",
                    models.PositiveIntegerField(
                        default=0,
                        editable=False,
                        help_text="In which whoever asked is enrolled, and so decides about nobody.",
                    ),
                ),
                ("eligible", models.PositiveIntegerField(default=0, editable=False)),
                ("short", models.PositiveIntegerField(default=0, editable=False)),
                ("condoned", models.PositiveIntegerField(default=0, editable=False)),
                ("not_eligible", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "made",
                    models.PositiveIntegerField(default=0, editable=False, help_text="How many decisions are new."),
                ),
                (
                    "unchanged",
                    models.PositiveIntegerField(
                        default=0, editable=False, help_text="For how many students the former decision stays."
                    ),
                ),
                (
                    "unmarked",
                    models.PositiveIntegerField(
                        default=0,
                        editable=False,
                        help_text="How many students were not marked in every class that was held.",
                    ),
                ),
                ("position", models.UUIDField(editable=False, null=True)),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                (
                    "course",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.course",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        help_text="With all below it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="departments.department",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="decision_runs", to="departments.term"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at", "id"], name="attendance_decisionrun_latest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "running", "done", "failed"])),
                        name="attendance_decisionrun_state_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The state of a run is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("department", None), ("course", None), _connector="OR"),
                        name="attendance_decisionrun_one_scope",
                        violation_error_code="several_scopes",
                        violation_error_message="Name a department or a course, or neither.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sections_done__lte", models.F("sections_total"))),
                        name="attendance_decisionrun_progress_in_range",
                        violation_error_code="invalid",
                        violation_error_message="A run has done no more sections than it has.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", False), ("state__in", ("done", "failed"))),
                            models.Q(("finished_at", None), models.Q(("state__in", ("done", "failed")), _negated=True)),
                            _connector="OR",
                        ),
                        name="attendance_decisionrun_over_or_not",
                        violation_error_code="invalid",
                        violation_error_message="A run that is over has ended at a time, and no other has.",
                    ),
                ],
            },
        ),
    ]
