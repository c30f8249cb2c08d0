import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("courses", "0001_initial"),
        ("departments", "0002_department_tree"),
        ("students", "0002_numbers_and_histories"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Enrollment",
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
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("enrolled", "Enrolled"),
                            ("dropped", "Dropped"),
                            ("withdrawn", "Withdrawn"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="enrolled",
                        max_length=12,
                    ),
                ),
                (
                    "credits",
                    models.DecimalField(
                        decimal_places=2, max_digits=5, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "grade_basis",
                    models.CharField(
                        choices=[("letter", "Letter grade"), ("pass_fail", "Pass or fail"), ("audit", "Audit")],
                        default="letter",
                        max_length=12,
                    ),
                ),
                (
                    "attempt_no",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="How often the student has tried the course."
                    ),
                ),
                (
                    "is_repeatable",
                    models.BooleanField(
                        default=False, editable=False, help_text="The course may be taken more than once in one term."
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("pass", "Pass"),
                            ("distinction", "Distinction"),
                            ("fail", "Fail"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        help_text="The outcome that another system reported; empty until then, and where grades are posted here.",
                        max_length=12,
                    ),
                ),
                (
                    "enrolled_at",
                    models.DateTimeField(blank=True, help_text="Null when a source does not say.", null=True),
                ),
                (
                    "dropped_at",
                    models.DateTimeField(
                        blank=True, help_text="When the student dropped, withdrew, or lost the section.", null=True
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("manual", "Manual"), ("api", "API"), ("import", "Import")],
                        default="manual",
                        max_length=8,
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="courses.course",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="courses.section",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="students.student",
                    ),
                ),
                (
                    "term",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="departments.term",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EnrollmentEvent",
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
                    "from_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("pending", "Pending"),
                            ("enrolled", "Enrolled"),
                            ("dropped", "Dropped"),
                            ("withdrawn", "Withdrawn"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        help_text="Empty at first.",
                        max_length=12,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("enrolled", "Enrolled"),
                            ("dropped", "Dropped"),
                            ("withdrawn", "Withdrawn"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "overridden",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="The rules somebody waived.",
                        size=None,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("happened_at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="enrollment.enrollment"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["student", "created_at", "id"], name="enrollment_by_student"),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["section", "status"], name="enrollment_by_section"),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["term", "created_at", "id"], name="enrollment_by_term"),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["created_at", "id"], name="enrollment_latest"),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["enrolled_at", "id"], name="enrollment_by_time"),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("pending", "enrolled"))),
                fields=("student", "section"),
                name="enrollment_enrollment_one_live_in_section",
                violation_error_code="duplicate_enrollment",
                violation_error_message="The student is enrolled in this section already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_repeatable", False), ("status__in", ("pending", "enrolled"))),
                fields=("student", "course", "term"),
                name="enrollment_enrollment_one_live_in_course",
                violation_error_code="duplicate_enrollment",
                violation_error_message="The student is enrolled in this course in this term already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dropped_at__isnull", False), ("status__in", ("dropped", "withdrawn", "cancelled"))),
                    models.Q(
                        models.Q(("status__in", ("dropped", "withdrawn", "cancelled")), _negated=True),
                        ("dropped_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="enrollment_enrollment_left_at_a_time",
                violation_error_code="dropped_at_mismatch",
                violation_error_message="An enrolment has a time of leaving exactly when the student has left.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gte", 0)),
                name="enrollment_enrollment_credits_not_negative",
                violation_error_code="negative_credits",
                violation_error_message="The credits of an enrolment are not negative.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(("attempt_no__gte", 1)),
                name="enrollment_enrollment_attempts_counted",
                violation_error_code="min_value",
                violation_error_message="The first attempt at a course is number 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["pending", "enrolled", "dropped", "withdrawn", "completed", "cancelled"])
                ),
                name="enrollment_enrollment_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of an enrolment is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("grade_basis__in", ["letter", "pass_fail", "audit"]),
                    ("result__in", ["", "pass", "distinction", "fail", "withdrawn"]),
                    ("source__in", ["manual", "api", "import"]),
                ),
                name="enrollment_enrollment_kinds_known",
                violation_error_code="invalid_choice",
                violation_error_message="The grade basis, result or source of an enrolment is not a known one.",
            ),
        ),
    ]
