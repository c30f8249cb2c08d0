"""Members of the faculty are wanted for spans of time."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("faculty", "0004_pay"),
    ]

    operations = [
        migrations.CreateModel(
            name="FacultyReservation",
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
                    "slot",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        help_text="From (inclusive) until (exclusive)."
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("class", "Class"),
                            ("exam", "Examination"),
                            ("defence", "Defence"),
                            ("event", "Event"),
                            ("maintenance", "Maintenance"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        help_text="What it is for, as whoever wants the person too is told.", max_length=200
                    ),
                ),
                ("source", models.UUIDField(editable=False)),
                ("conflict_waived", models.BooleanField(default=False, help_text="Knowingly wanted in two places.")),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "faculty",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="faculty.faculty",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["source"], name="faculty_reservation_source")],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("cancelled_at__isnull", True), ("conflict_waived", False)),
                        expressions=[("faculty", "="), ("slot", "&&")],
                        name="faculty_facultyreservation_free",
                        violation_error_code="person_conflict",
                        violation_error_message="The member of faculty is wanted elsewhere at that time.",
                    ),
                    models.UniqueConstraint(
                        fields=("faculty", "source"),
                        name="faculty_facultyreservation_once",
                        violation_error_code="conflict",
                        violation_error_message="The member of faculty is wanted there already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("slot__isempty", False), ("slot__lower_inf", False), ("slot__upper_inf", False)
                        ),
                        name="faculty_facultyreservation_has_length",
                        violation_error_code="ends_before_start",
                        violation_error_message="A reservation ends after it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["class", "exam", "defence", "event", "maintenance"])),
                        name="faculty_facultyreservation_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The kind is not one of the known ones.",
                    ),
                ],
            },
        ),
    ]
