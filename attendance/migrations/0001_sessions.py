"""The dated sessions of sections."""

import datetime

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("courses", "0002_shares_and_histories"),
        ("departments", "0004_room_reservations"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClassSession",
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
                ("gathering", models.UUIDField(editable=False)),
                ("planned_on", models.DateField(editable=False)),
                ("local_date", models.DateField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("scheduled", "Scheduled"), ("cancelled", "Cancelled")],
                        default="scheduled",
                        max_length=10,
                    ),
                ),
                (
                    "changed_by_hand",
                    models.BooleanField(
                        default=False,
                        editable=False,
                        help_text="Moved or cancelled by somebody: the timetable leaves it as it is.",
                    ),
                ),
                ("note", models.CharField(blank=True, help_text="Why it was moved or cancelled.", max_length=500)),
                (
                    "meeting",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="class_sessions",
                        to="courses.meeting",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="class_sessions",
                        to="departments.room",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="class_sessions",
                        to="courses.section",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["section", "starts_at"], name="attendance_session_of_section"),
                    models.Index(fields=["starts_at", "id"], name="attendance_session_by_time"),
                    models.Index(fields=["gathering"], name="attendance_session_gathering"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("section", "gathering"),
                        name="attendance_classsession_once",
                        violation_error_code="duplicate_session",
                        violation_error_message="The section has this session already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="attendance_classsession_has_length",
                        violation_error_code="ends_before_start",
                        violation_error_message="A session ends after it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("starts_at"), "+", models.Value(datetime.timedelta(days=1))
                                ),
                            )
                        ),
                        name="attendance_classsession_within_a_day",
                        violation_error_code="session_too_long",
                        violation_error_message="A session lasts a day at most.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["scheduled", "cancelled"])),
                        name="attendance_classsession_status_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The status is not one of the known ones.",
                    ),
                ],
            },
        ),
    ]
