"""By which rule somebody falls short: for whom, and from which day on."""

from decimal import Decimal
from typing import ClassVar, Self
from uuid import UUID

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Ceil, Coalesce

from core.models import BaseQuerySet, VersionedModel
from courses.models import Course, Section
from departments.models import Department, Program

EVERYWHERE = UUID(int=0)
# A whole per cent, and the same of what is shown of a percentage, that rounding gives away.
HALF, HALF_A_HUNDREDTH = Decimal("0.5"), Decimal("0.005")
# Of four classes one may be missed at the usual threshold: fewer tell nothing yet.
USUAL_ALERT_AFTER = 4


class Basis(models.TextChoices):
    PER_COURSE = "per_course", "Each course"
    AGGREGATE = "aggregate", "All courses of a term together"


class Rounding(models.TextChoices):
    """To what a percentage is rounded, half up, before it is compared."""

    EXACT = "exact", "Not at all"
    HUNDREDTH = "hundredth", "To two places"
    WHOLE = "whole", "To a whole per cent"


class AttendancePolicyQuerySet(BaseQuerySet["AttendancePolicy"]):
    def for_api(self) -> Self:
        return self.select_related("department", "program", "course", "section__course", "section__term")


class AttendancePolicy(VersionedModel):
    """One version of a rule: what the students of a scope have to attend in the terms that begin on its days.

    The scope is a section, a course, a program, a department with all below it or, naming none, the institution. Of
    those that hold for an enrolment the first in this order decides, and of departments the nearest.
    """

    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Of the students whose primary program it is.",
    )  # fmt: skip
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    section = models.ForeignKey(Section, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid = DateRangeField(help_text="First day (inclusive) until last day (exclusive); an open end lasts.")
    threshold = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(75),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text="Per cent below which a student falls short.",
    )
    condonation_floor = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(65),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text="Per cent below which nobody is condoned.",
    )
    basis = models.CharField(max_length=10, choices=Basis, default=Basis.PER_COURSE)
    rounding = models.CharField(max_length=9, choices=Rounding, default=Rounding.EXACT)
    late_after = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Minutes after the beginning from which somebody is late. Empty: it is not said.",
    )
    late_weight = models.DecimalField(
        max_digits=4,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="How much of a class the code late counts. Empty: what the code says.",
    )
    lates_per_absence = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="So many lates come to an absence. Empty: they never do."
    )
    lock_after = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days after a class on which its sheet is locked. Empty: it is not."
    )
    alert_after = models.PositiveSmallIntegerField(
        default=USUAL_ALERT_AFTER,
        db_default=USUAL_ALERT_AFTER,
        validators=[MinValueValidator(1)],
        help_text="So many classes have to count before anybody is told that a student falls short.",
    )
    # What a percentage is compared with, once rounding is taken into account: no division and nothing rounded.
    bar = models.GeneratedField(
        expression=Case(
            When(rounding=Rounding.WHOLE, then=Ceil(F("threshold")) - Value(HALF)),
            When(rounding=Rounding.HUNDREDTH, then=F("threshold") - Value(HALF_A_HUNDREDTH)),
            default=F("threshold"),
        ),
        output_field=models.DecimalField(max_digits=6, decimal_places=3),
        db_persist=True,
    )

    SCOPES: ClassVar = ("department", "program", "course", "section")

    objects = AttendancePolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "attendance policies"
        constraints = [
            ExclusionConstraint(
                name="attendance_attendancepolicy_no_overlap",
                expressions=[
                    (Coalesce("section", "course", "program", "department", Value(EVERYWHERE)), RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                violation_error_code="effective_overlap",
                violation_error_message="Another version holds for the same scope on some of these days.",
            ),
            models.CheckConstraint(
                condition=Q(valid__isempty=False),
                name="attendance_attendancepolicy_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A version ends after it begins.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(program=None, course=None, section=None)
                    | Q(department=None, course=None, section=None)
                    | Q(department=None, program=None, section=None)
                    | Q(department=None, program=None, course=None)
                ),
                name="attendance_attendancepolicy_one_scope",
                violation_error_code="several_scopes",
                violation_error_message="A policy names one scope at most.",
            ),
            models.CheckConstraint(
                condition=Q(threshold__lte=100, condonation_floor__gte=0, condonation_floor__lte=F("threshold")),
                name="attendance_attendancepolicy_floor_below_threshold",
                violation_error_code="floor_above_threshold",
                violation_error_message="The floor lies between 0 and the threshold, and this is 100 at most.",
            ),
            models.CheckConstraint(
                condition=Q(late_weight__isnull=True) | Q(late_weight__gte=0, late_weight__lte=1),
                name="attendance_attendancepolicy_late_weight_in_range",
                violation_error_code="weight_out_of_range",
                violation_error_message="A late counts between nothing and a whole class.",
            ),
            models.CheckConstraint(
                condition=Q(lates_per_absence__isnull=True) | Q(lates_per_absence__gte=1, late_weight__isnull=False),
                name="attendance_attendancepolicy_lates_weigh",
                violation_error_code="lates_without_weight",
                violation_error_message="Where lates come to an absence, the policy says what a late counts.",
            ),
            models.CheckConstraint(
                condition=Q(basis__in=Basis.values, rounding__in=Rounding.values),
                name="attendance_attendancepolicy_kinds_known",
                violation_error_code="invalid_choice",
                violation_error_message="The basis or the rounding is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        scope = next((getattr(self, name) for name in self.SCOPES if getattr(self, f"{name}_id")), "the institution")
        return f"{self.threshold} per cent for {scope}"
