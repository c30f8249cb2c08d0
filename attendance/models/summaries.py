"""What marks come to for each enrolment, kept by the database along with them."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from attendance.models.policies import AttendancePolicy
from core.models import BaseQuerySet, TimeStampedUUIDModel
from courses.models import Section
from departments.models import Term
from enrollment.models import Enrollment


class AttendanceSummaryQuerySet(BaseQuerySet["AttendanceSummary"]):
    def for_api(self) -> Self:
        return self.select_related(
            "enrollment__student__person", "enrollment__section__course_version", "enrollment__course",
            "enrollment__term",
        )  # fmt: skip


class AttendanceSummary(TimeStampedUUIDModel):
    """What the marks of one enrolment come to, and what the policy says of it. Whoever was never marked may have none.

    Triggers write it in the transaction of whatever changes it, and nothing else does. It holds what marks decide; what
    the clock decides, which classes are unmarked or to come, is counted when it is asked for.
    """

    enrollment = models.OneToOneField(Enrollment, on_delete=models.CASCADE, related_name="attendance_summary")
    # Those of the enrolment, so that lists need no other table to be narrowed and put in order.
    section = models.ForeignKey(
        Section, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    counted = models.IntegerField(default=0, db_default=0)
    exempt = models.IntegerField(default=0, db_default=0)
    attended = models.DecimalField(max_digits=9, decimal_places=3, default=0, db_default=0)
    late = models.IntegerField(default=0, db_default=0)
    late_attended = models.DecimalField(max_digits=9, decimal_places=3, default=0, db_default=0)
    policy = models.ForeignKey(AttendancePolicy, on_delete=models.PROTECT, null=True, related_name="+")
    percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, help_text="Null while nothing counts.")
    is_short = models.BooleanField(default=False, db_default=False)
    is_alerted = models.BooleanField(
        default=False, db_default=False, help_text="It has been announced that the student falls short."
    )

    search_paths: ClassVar = ("enrollment__student__search_text", "enrollment__student__person__search_name")

    objects = AttendanceSummaryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "attendance summaries"
        constraints = [
            models.CheckConstraint(
                condition=Q(counted__gte=0, exempt__gte=0, late__gte=0, late__lte=F("counted"))
                & Q(late_attended__gte=0, late_attended__lte=F("attended"), attended__lte=F("counted")),
                name="attendance_attendancesummary_adds_up",
                violation_error_code="summary_off",
                violation_error_message="A summary says less than nothing, or more than all.",
            ),
        ]
        indexes = [
            models.Index(fields=["term", "percent", "id"], condition=Q(is_short=True), name="attendance_short_of_term"),
            models.Index(
                fields=["section", "percent", "id"],
                condition=Q(is_short=True),
                name="attendance_short_in_section",
            ),
            models.Index(fields=["percent", "id"], condition=Q(is_short=True), name="attendance_short"),
            models.Index(
                fields=["enrollment"],
                include=["counted", "exempt", "attended", "late", "late_attended", "policy", "percent"],
                name="attendance_summary_of_student",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} per cent of {self.enrollment_id}"
