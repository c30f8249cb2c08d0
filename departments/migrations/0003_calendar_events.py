"""What the calendar says of single days: holidays, and days that are taught as another weekday."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("departments", "0002_department_tree"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarEvent",
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
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("holiday", "No teaching"),
                            ("make_up", "Taught as another weekday"),
                            ("notice", "Notice"),
                        ],
                        max_length=8,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(help_text="The last day.")),
                (
                    "taught_as",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="The weekday that a make-up day is taught as. ISO 8601: 1 is Monday, 7 is Sunday.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(7),
                        ],
                    ),
                ),
                (
                    "campus",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: on every campus.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calendar_events",
                        to="departments.campus",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["starts_on", "id"], name="departments_calendar_starts_on")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                        name="departments_calendarevent_has_length",
                        violation_error_code="ends_before_start",
                        violation_error_message="The last day does not come before the first.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["holiday", "make_up", "notice"])),
                        name="departments_calendarevent_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The kind is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("taught_as__isnull", True),
                            models.Q(("taught_as__gte", 1), ("taught_as__lte", 7)),
                            _connector="OR",
                        ),
                        name="departments_calendarevent_weekday_known",
                        violation_error_code="invalid_weekday",
                        violation_error_message="A weekday is a number from 1, Monday, to 7, Sunday.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "make_up"), ("taught_as__isnull", False)),
                            models.Q(models.Q(("kind", "make_up"), _negated=True), ("taught_as__isnull", True)),
                            _connector="OR",
                        ),
                        name="departments_calendarevent_says_weekday",
                        violation_error_code="weekday_of_make_up",
                        violation_error_message="A make-up day says as which weekday it is taught, and nothing else does.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "make_up"), _negated=True),
                            ("ends_on", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="departments_calendarevent_make_up_is_one_day",
                        violation_error_code="make_up_is_one_day",
                        violation_error_message="A make-up day is one day.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "make_up")),
                        fields=("campus", "starts_on"),
                        name="departments_calendarevent_one_make_up",
                        nulls_distinct=False,
                        violation_error_code="make_up_day_taken",
                        violation_error_message="The day is taught as another weekday already.",
                    ),
                ],
            },
        ),
    ]
