"""Rooms are taken for spans of time, in one space for everything that takes place in them."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("departments", "0003_calendar_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="RoomReservation",
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
                        help_text="What it is for, as whoever wants the room too is told.", max_length=200
                    ),
                ),
                ("source", models.UUIDField(blank=True, editable=False, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="approved",
                        max_length=10,
                    ),
                ),
                (
                    "conflict_waived",
                    models.BooleanField(default=False, help_text="Knowingly in the room together with another."),
                ),
                (
                    "room",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="departments.room",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["room", "created_at", "id"], name="departments_reservation_room")],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("conflict_waived", False), ("status", "approved")),
                        expressions=[("room", "="), ("slot", "&&")],
                        name="departments_roomreservation_room_free",
                        violation_error_code="room_conflict",
                        violation_error_message="The room is taken at that time.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("source__isnull", False)),
                        fields=("source",),
                        name="departments_roomreservation_one_of_source",
                        violation_error_code="conflict",
                        violation_error_message="It has a room already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("slot__isempty", False), ("slot__lower_inf", False), ("slot__upper_inf", False)
                        ),
                        name="departments_roomreservation_has_length",
                        violation_error_code="ends_before_start",
                        violation_error_message="A reservation ends after it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["class", "exam", "defence", "event", "maintenance"])),
                        name="departments_roomreservation_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The kind is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["requested", "approved", "rejected", "cancelled"])),
                        name="departments_roomreservation_status_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The status is not one of the known ones.",
                    ),
                ],
            },
        ),
    ]
