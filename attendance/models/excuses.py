"""Who was excused for which time, what became of the request, and what the excuse covers.

students.Student 1 --- * ExcuseRequest 1 --- * ExcuseEvent
                         ExcuseRequest 1 --- * CoveredMark * --- 1 ClassSession
"""

from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from attendance.models.codes import AttendanceCode
from attendance.models.records import Source
from attendance.models.sessions import ClassSession
from core.models import BaseQuerySet, CustomizableModel, TimeStampedUUIDModel, custom_data_index
from enrollment.models import Enrollment
from students.models import Student

# Nobody is excused for longer than a year at once: that is a slip of the pen, or a leave of absence.
LONGEST = timedelta(days=366)


class ExcuseKind(models.TextChoices):
    MEDICAL = "medical", "Medical"
    ON_DUTY = "on_duty", "On duty"
    BEREAVEMENT = "bereavement", "Bereavement"


class ExcuseStatus(models.TextChoices):
    SUBMITTED = "submitted", "Submitted"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    REVOKED = "revoked", "Revoked"


# What a student is marked with whom an excuse covers: the sheet tells nobody of what kind it was, but for official
# absence, which counts otherwise.
CODE_OF = {
    ExcuseKind.MEDICAL: "excused",
    ExcuseKind.ON_DUTY: "on_duty",
    ExcuseKind.BEREAVEMENT: "excused",
}


class ExcuseRequestQuerySet(BaseQuerySet["ExcuseRequest"]):
    def for_api(self) -> Self:
        return self.select_related("student__person")


class ExcuseRequest(CustomizableModel):
    """That a student asks to be excused for a span of time, and what was decided.

    Documents are custom fields of the type file. Kind, statement and protected custom fields may be medical: a mask
    keeps them from whoever does not decide about them.
    """

    # The exclusion below begins with the student, and so does the index for lists.
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="excuses", db_index=False)
    period = DateTimeRangeField(help_text="From (inclusive) until (exclusive).")
    kind = models.CharField(max_length=12, choices=ExcuseKind)
    statement = models.TextField(blank=True, max_length=2000, help_text="What the student says.")
    status = models.CharField(max_length=10, choices=ExcuseStatus, default=ExcuseStatus.SUBMITTED, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+",
        help_text="Who approved, rejected or revoked it at last.",
    )  # fmt: skip

    search_paths: ClassVar = ("student__search_text", "student__person__search_name")

    objects = ExcuseRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="attendance_excuserequest_no_overlap",
                expressions=[("student", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(status=ExcuseStatus.APPROVED),
                violation_error_code="excuse_overlap",
                violation_error_message="The student is excused for a part of that time already.",
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__lower_inf=False, period__upper_inf=False),
                name="attendance_excuserequest_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="An excuse ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(period__endswith__lte=F("period__startswith") + LONGEST),
                name="attendance_excuserequest_within_a_year",
                violation_error_code="excuse_too_long",
                violation_error_message="An excuse lasts a year at most.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ExcuseKind.values),
                name="attendance_excuserequest_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ExcuseStatus.values),
                name="attendance_excuserequest_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(status=ExcuseStatus.SUBMITTED)
                | Q(decided_by__isnull=True)
                | Q(requested_by__isnull=True)
                | ~Q(decided_by=F("requested_by")),
                name="attendance_excuserequest_decided_by_another",
                violation_error_code="self_approval",
                violation_error_message="Nobody decides about what they asked for.",
            ),
        ]
        indexes = [
            custom_data_index("attendance_excuserequest"),
            models.Index(fields=["student", "created_at"], name="attendance_excuse_of_student"),
            models.Index(fields=["created_at", "id"], name="attendance_excuse_by_creation"),
        ]

    def __str__(self) -> str:
        return f"{self.student}, {self.period.lower:%Y-%m-%d}"


class ExcuseEventQuerySet(BaseQuerySet["ExcuseEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor", "excuse__student")


class ExcuseEvent(TimeStampedUUIDModel):
    """One step of an excuse from one status to another, by whom and why."""

    excuse = models.ForeignKey(ExcuseRequest, on_delete=models.CASCADE, related_name="events")
    from_status = models.CharField(max_length=10, choices=ExcuseStatus, blank=True, help_text="Empty at first.")
    to_status = models.CharField(max_length=10, choices=ExcuseStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = ExcuseEventQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


class CoveredMark(TimeStampedUUIDModel):
    """What a student would be marked with in one session if no excuse covered it; without a code, with nothing.

    It is what was there when the excuse came, or what somebody has marked since, and comes back when that is revoked.
    """

    excuse = models.ForeignKey(ExcuseRequest, on_delete=models.PROTECT, related_name="covered_marks")
    # The unique constraint below begins with the session.
    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="covered_marks", db_index=False)
    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="covered_marks", db_index=False)
    code = models.ForeignKey(
        AttendanceCode, on_delete=models.PROTECT, null=True, related_name="covered_marks", db_index=False
    )
    minutes_late = models.PositiveSmallIntegerField(null=True)
    source = models.CharField(max_length=8, choices=Source, blank=True)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    marked_at = models.DateTimeField(null=True)
    client_id = models.UUIDField(null=True)

    objects = BaseQuerySet["CoveredMark"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "enrollment"],
                name="attendance_coveredmark_once",
                violation_error_code="conflict",
                violation_error_message="What the excuse covers of this session is kept already.",
            ),
            models.CheckConstraint(
                condition=Q(code__isnull=True, source="", marked_at__isnull=True)
                | Q(code__isnull=False, source__in=Source.values, marked_at__isnull=False),
                name="attendance_coveredmark_whole",
                violation_error_code="invalid",
                violation_error_message="A mark has a code, a source and a time, or there is none.",
            ),
        ]
        indexes = [models.Index(fields=["enrollment"], name="attendance_covered_of_student")]

    def __str__(self) -> str:
        return f"{self.enrollment_id} in {self.session_id}"
