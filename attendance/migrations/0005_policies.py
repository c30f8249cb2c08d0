"""By which rule attendance is judged, and what counts whatever the rule."""

import uuid
from decimal import Decimal

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.math
from django.db import migrations, models

import core.ids

# The version in force on the first day of the section's term: no term is judged by a rule that came while it lasted.
# A section outranks a course, this a program, this a department, of which the nearest decides, and this the institution.
POLICY_OF = """
CREATE FUNCTION attendance_policy_of(of_section uuid, of_program uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT p.id
    FROM courses_section s
    JOIN departments_term t ON t.id = s.term_id
    JOIN courses_course c ON c.id = s.course_id
    JOIN departments_department d ON d.id = c.department_id
    JOIN attendance_attendancepolicy p ON p.valid @> t.starts_on AND (
        p.section_id = s.id OR p.course_id = c.id OR p.program_id = of_program OR p.department_id = ANY (d.lineage)
        OR num_nonnulls(p.section_id, p.course_id, p.program_id, p.department_id) = 0
    )
    WHERE s.id = of_section
    ORDER BY p.section_id NULLS LAST, p.course_id NULLS LAST, p.program_id NULLS LAST,
        array_position(d.lineage, p.department_id) DESC NULLS LAST
    LIMIT 1
$$
"""
# Where a policy says what a late counts, so many lates come to an absence: of these the last counts nothing.
ATTENDED = """
CREATE FUNCTION attendance_attended(
    attended numeric, late bigint, late_attended numeric, late_weight numeric, lates_per_absence integer
) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN late_weight IS NULL THEN attended
        ELSE attended - late_attended + (late - coalesce(late / lates_per_absence, 0)) * late_weight
    END
$$
"""
# What marks decide, of every enrolment that somebody was marked by in a class that took place while it lasted.
COUNTED = """
CREATE FUNCTION attendance_counted(enrollments uuid[])
RETURNS TABLE (enrollment_id uuid, counted bigint, exempt bigint, attended numeric, late bigint, late_attended numeric)
LANGUAGE sql STABLE AS $$
    SELECT e.id,
        count(*) FILTER (WHERE NOT c.is_exempt),
        count(*) FILTER (WHERE c.is_exempt),
        coalesce(sum(c.weight), 0),
        count(*) FILTER (WHERE c.code = 'late' AND NOT c.is_exempt),
        coalesce(sum(c.weight) FILTER (WHERE c.code = 'late'), 0)
    FROM enrollment_enrollment e
    JOIN attendance_classsession s ON s.section_id = e.section_id AND s.status = 'scheduled'
        AND (e.enrolled_at IS NULL OR e.enrolled_at < s.ends_at)
        AND (e.dropped_at IS NULL OR e.dropped_at > s.starts_at)
    JOIN attendance_attendancerecord r
        ON r.session_id = s.id AND r.enrollment_id = e.id AND r.local_date = s.local_date
    JOIN attendance_attendancecode c ON c.id = r.code_id
    WHERE e.id = ANY (enrollments)
    GROUP BY e.id
$$
"""
UNDO = [
    "DROP FUNCTION attendance_counted(uuid[])",
    "DROP FUNCTION attendance_attended(numeric, bigint, numeric, numeric, integer)",
    "DROP FUNCTION attendance_policy_of(uuid, uuid)",
]


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0004_standings"),
        ("courses", "0002_shares_and_histories"),
        ("departments", "0004_room_reservations"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttendancePolicy",
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
                    "valid",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="First day (inclusive) until last day (exclusive); an open end lasts."
                    ),
                ),
                (
                    "threshold",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal(75),
                        help_text="Per cent below which a student falls short.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(100)),
                        ],
                    ),
                ),
                (
                    "condonation_floor",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal(65),
                        help_text="Per cent below which nobody is condoned.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(100)),
                        ],
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[("per_course", "Each course"), ("aggregate", "All courses of a term together")],
                        default="per_course",
                        max_length=10,
                    ),
                ),
                (
                    "rounding",
                    models.CharField(
                        choices=[
                            ("exact", "Not at all"),
                            ("hundredth", "To two places"),
                            ("whole", "To a whole per cent"),
                        ],
                        default="exact",
                        max_length=9,
                    ),
                ),
                (
                    "late_after",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Minutes after the beginning from which somebody is late. Empty: it is not said.",
                        null=True,
                    ),
                ),
                (
                    "late_weight",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="How much of a class the code late counts. Empty: what the code says.",
                        max_digits=4,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(1)),
                        ],
                    ),
                ),
                (
                    "lates_per_absence",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="So many lates come to an absence. Empty: they never do.", null=True
                    ),
                ),
                (
                    "lock_after",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Days after a class on which its sheet is locked. Empty: it is not.",
                        null=True,
                    ),
                ),
                (
                    "bar",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                rounding="whole",
                                then=django.db.models.expressions.CombinedExpression(
                                    django.db.models.functions.math.Ceil(models.F("threshold")),
                                    "-",
                                    models.Value(Decimal("0.5")),
                                ),
                            ),
                            models.When(
                                rounding="hundredth",
                                then=django.db.models.expressions.CombinedExpression(
                                    models.F("threshold"), "-", models.Value(Decimal("0.005"))
                                ),
                            ),
                            default=models.F("threshold"),
                        ),
                        output_field=models.DecimalField(decimal_places=3, max_digits=6),
                    ),
                ),
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="departments.department",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        blank=True,
                        help_text="Of the students whose primary program it is.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="departments.program",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.section",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "attendance policies",
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (
                                django.db.models.functions.comparison.Coalesce(
                                    "section",
                                    "course",
                                    "program",
                                    "department",
                                    models.Value(uuid.UUID("00000000-0000-0000-0000-000000000000")),
                                ),
                                "=",
                            ),
                            ("valid", "&&"),
                        ],
                        name="attendance_attendancepolicy_no_overlap",
                        violation_error_code="effective_overlap",
                        violation_error_message="Another version holds for the same scope on some of these days.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid__isempty", False)),
                        name="attendance_attendancepolicy_has_length",
                        violation_error_code="ends_before_start",
                        violation_error_message="A version ends after it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("course", None), ("program", None), ("section", None)),
                            models.Q(("course", None), ("department", None), ("section", None)),
                            models.Q(("department", None), ("program", None), ("section", None)),
                            models.Q(("course", None), ("department", None), ("program", None)),
                            _connector="OR",
                        ),
                        name="attendance_attendancepolicy_one_scope",
                        violation_error_code="several_scopes",
                        violation_error_message="A policy names one scope at most.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("condonation_floor__gte", 0),
                            ("condonation_floor__lte", models.F("threshold")),
                            ("threshold__lte", 100),
                        ),
                        name="attendance_attendancepolicy_floor_below_threshold",
                        violation_error_code="floor_above_threshold",
                        violation_error_message="The floor lies between 0 and the threshold, and this is 100 at most.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("late_weight__isnull", True),
                            models.Q(("late_weight__gte", 0), ("late_weight__lte", 1)),
                            _connector="OR",
                        ),
                        name="attendance_attendancepolicy_late_weight_in_range",
                        violation_error_code="weight_out_of_range",
                        violation_error_message="A late counts between nothing and a whole class.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lates_per_absence__isnull", True),
                            models.Q(("late_weight__isnull", False), ("lates_per_absence__gte", 1)),
                            _connector="OR",
                        ),
                        name="attendance_attendancepolicy_lates_weigh",
                        violation_error_code="lates_without_weight",
                        violation_error_message="Where lates come to an absence, the policy says what a late counts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("basis__in", ["per_course", "aggregate"]),
                            ("rounding__in", ["exact", "hundredth", "whole"]),
                        ),
                        name="attendance_attendancepolicy_kinds_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The basis or the rounding is not one of the known ones.",
                    ),
                ],
            },
        ),
        migrations.RunSQL([POLICY_OF, ATTENDED, COUNTED], UNDO),
    ]
