"""What devices marked while nothing could be reached."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0010_lock_sheets"),
        ("enrollment", "0005_identify_enrolments_by_section"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OfflineMark",
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
                ("client_id", models.UUIDField(help_text="How the device calls the mark.")),
                ("code", models.CharField(max_length=32)),
                ("minutes_late", models.PositiveSmallIntegerField(null=True)),
                ("made_at", models.DateTimeField()),
                (
                    "made_on",
                    models.PositiveIntegerField(help_text="The version of the session that the device had read."),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("kept", "Kept"),
                            ("superseded", "Superseded"),
                            ("conflict", "Conflict"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offline_marks",
                        to="enrollment.enrollment",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offline_marks",
                        to="attendance.classsession",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="attendance_offline_by_creation")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "client_id"),
                        name="attendance_offlinemark_once",
                        violation_error_code="client_id_reused",
                        violation_error_message="Another mark of this name was sent before.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["applied", "kept", "superseded", "conflict"])),
                        name="attendance_offlinemark_outcome_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The outcome is not one of the known ones.",
                    ),
                ],
            },
        ),
    ]
