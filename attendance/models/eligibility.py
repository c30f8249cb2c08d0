"""Who may sit the examination by attendance: what was decided, of which numbers, and whose shortage was condoned.

enrollment.Enrollment 1 --- * EligibilityDecision, of which one is current
"""

from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import NullIf, Round
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from attendance.models.policies import AttendancePolicy, Basis, Rounding
from core.models import BaseQuerySet, TimeStampedUUIDModel
from courses.models import Section
from departments.models import Term
from enrollment.models import Enrollment


class Eligibility(models.TextChoices):
    ELIGIBLE = "eligible", "Eligible"
    SHORT = "short", "Short, may be condoned"
    CONDONED = "condoned", "Condoned"
    NOT_ELIGIBLE = "not_eligible", "Not eligible"


# Whoever may sit the examination.
ADMITTED = (Eligibility.ELIGIBLE, Eligibility.CONDONED)


def _reaches(bar: str) -> GreaterThanOrEqual:
    return GreaterThanOrEqual(F("attended") * Value(100), F(bar) * F("counted"))


def _misses(bar: str) -> LessThan:
    return LessThan(F("attended") * Value(100), F(bar) * F("counted"))


# Where courses are taken together, those of a term that count, as whoever judges takes them. What is unmarked has no
# part in it: the clock alone changes that.
_OUTDATED = """(
    SELECT d.superseded_at IS NULL AND (d.attended, d.counted, d.exempt) <> (now.attended, now.counted, now.exempt)
    FROM (VALUES (%(expressions)s)) d (enrollment_id, policy_id, basis, attended, counted, exempt, superseded_at)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(
                attendance_attended(m.attended, m.late, m.late_attended, p.late_weight, p.lates_per_absence)
            ), 0) AS attended, coalesce(sum(m.counted), 0) AS counted, coalesce(sum(m.exempt), 0) AS exempt
        FROM enrollment_enrollment own
        JOIN enrollment_enrollment e ON e.student_id = own.student_id AND e.term_id = own.term_id
        JOIN attendance_attendancesummary m ON m.enrollment_id = e.id
        LEFT JOIN attendance_attendancepolicy p ON p.id = m.policy_id
        WHERE d.superseded_at IS NULL AND own.id = d.enrollment_id AND (
            e.id = own.id OR d.basis = 'aggregate' AND m.policy_id = d.policy_id
                AND e.status IN ('enrolled', 'completed')
        )
    ) now
)"""


class Outdated(Func):
    """Whether marks have come to other numbers since a decision, that is current, was made of them."""

    template = _OUTDATED
    output_field = models.BooleanField()

    @classmethod
    def of(cls, prefix: str = "") -> "Outdated":
        """Return it of the decision whose columns are reached by a prefix."""
        names = ("enrollment_id", "policy_id", "basis", "attended", "counted", "exempt", "superseded_at")
        return cls(*(f"{prefix}{name}" for name in names))


class EligibilityDecisionQuerySet(BaseQuerySet["EligibilityDecision"]):
    def current(self) -> Self:
        """Those that no later one has superseded."""
        return self.filter(superseded_at=None)

    def for_api(self) -> Self:
        rows = self.select_related(
            "enrollment__student__person", "enrollment__section__course_version", "enrollment__course",
            "enrollment__term", "decided_by",
        )  # fmt: skip
        return rows.annotate(is_outdated=Outdated.of())


class EligibilityDecision(TimeStampedUUIDModel):
    """What was decided of one enrolment at one time, with every number that it was decided by.

    Nothing of it is changed: a later one supersedes it. Where the policy takes courses together, the numbers are those
    of all of them. `attended` of `counted` is the exact percentage; `percent` is it to two places.
    """

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="eligibility_decisions")
    # Those of the enrolment, so that lists need no other table to be narrowed and put in order.
    section = models.ForeignKey(
        Section, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    outcome = models.CharField(max_length=12, choices=Eligibility)
    attended = models.DecimalField(max_digits=9, decimal_places=3, help_text="The sum of what the marks count.")
    counted = models.PositiveIntegerField(help_text="The classes that they are divided by: marked, and not exempt.")
    exempt = models.PositiveIntegerField()
    unmarked = models.PositiveIntegerField(help_text="Classes that were held and in which nobody marked the student.")
    percent = models.GeneratedField(
        expression=Round(Value(100) * F("attended") / NullIf(F("counted"), Value(0)), precision=2),
        output_field=models.DecimalField(max_digits=6, decimal_places=2, null=True),
        db_persist=True,
    )
    policy = models.ForeignKey(AttendancePolicy, on_delete=models.PROTECT, null=True, related_name="+")
    policy_version = models.PositiveIntegerField(help_text="0 where no policy is, and what is usual was asked for.")
    basis = models.CharField(max_length=10, choices=Basis)
    rounding = models.CharField(max_length=9, choices=Rounding)
    threshold = models.DecimalField(max_digits=5, decimal_places=2)
    condonation_floor = models.DecimalField(max_digits=5, decimal_places=2)
    # What the percentage was compared with, rounding taken into account.
    bar = models.DecimalField(max_digits=6, decimal_places=3)
    floor_bar = models.DecimalField(max_digits=6, decimal_places=3)
    condonation = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="The decision by which the shortage was condoned, as long as that holds.",
    )  # fmt: skip
    condoned_from = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True,
        help_text="The floor of that decision: below it, it holds no more.",
    )  # fmt: skip
    reason = models.TextField(blank=True, max_length=2000, help_text="Why it was condoned, or that was withdrawn.")
    note = models.TextField(blank=True, max_length=2000, help_text="What that rests on, such as a document.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True, help_text="Null of the one that is current.")

    search_paths: ClassVar = ("enrollment__student__search_text", "enrollment__student__person__search_name")
    in_sql: ClassVar = {"is_outdated": lambda of: (Outdated.of(of), models.BooleanField())}

    objects = EligibilityDecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment"],
                condition=Q(superseded_at__isnull=True),
                name="attendance_eligibilitydecision_one_current",
                violation_error_code="decision_superseded",
                violation_error_message="Somebody else has decided about this enrolment meanwhile.",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Eligibility.ELIGIBLE) & _reaches("bar")
                | Q(outcome=Eligibility.CONDONED) & _misses("bar") & _reaches("condoned_from")
                | Q(outcome=Eligibility.SHORT) & _misses("bar") & _reaches("floor_bar")
                | Q(outcome=Eligibility.NOT_ELIGIBLE) & _misses("bar") & _misses("floor_bar"),
                name="attendance_eligibilitydecision_follows",
                violation_error_code="outcome_mismatch",
                violation_error_message="The outcome is not what the numbers come to.",
            ),
            models.CheckConstraint(
                condition=Q(condonation=None, condoned_from=None) & ~Q(outcome=Eligibility.CONDONED)
                | Q(condonation__isnull=False, condoned_from__isnull=False, outcome__in=ADMITTED),
                name="attendance_eligibilitydecision_condoned_by_one",
                violation_error_code="condonation_mismatch",
                violation_error_message="Whose shortage is condoned has a decision that condoned it.",
            ),
            models.CheckConstraint(
                condition=Q(attended__gte=0, attended__lte=F("counted")) & Q(basis__in=Basis.values)
                & Q(rounding__in=Rounding.values) & Q(floor_bar__lte=F("bar")),
                name="attendance_eligibilitydecision_adds_up",
                violation_error_code="invalid",
                violation_error_message="A decision says less than nothing, more than all, or no known rule.",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["section", "decided_at", "id"], name="attendance_decided_in_section"),
            models.Index(fields=["term", "decided_at", "id"], name="attendance_decided_in_term"),
            models.Index(fields=["decided_at", "id"], name="attendance_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id}: {Eligibility(self.outcome).label}"

    @property
    def is_current(self) -> bool:
        return self.superseded_at is None

    def outcome_of(self) -> Eligibility:
        """Return what the numbers come to, by a condonation where there is one that holds."""
        reached = self.attended * 100
        if reached >= self.bar * self.counted:
            return Eligibility.ELIGIBLE
        if self.condoned_from is not None:
            return Eligibility.CONDONED
        return Eligibility.SHORT if reached >= self.floor_bar * self.counted else Eligibility.NOT_ELIGIBLE

    def is_at_least(self, percent: Decimal) -> bool:
        """Say whether so many per cent were attended; of nothing, they were."""
        return self.attended * 100 >= percent * self.counted
