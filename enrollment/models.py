"""Students in sections, and every step of the way from enrolling to the end of it.

    students.Student 1 --- * Enrollment * --- 1 courses.Section
                             Enrollment 1 --- * EnrollmentEvent

An enrolment is live while it is pending or enrolled, and ends once: dropped, withdrawn, completed
or cancelled. Whoever comes back enrols anew. The seats of a section are counted by triggers on this
table, and the section's own constraint refuses one enrolment too many, whichever way it comes.
"""

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from courses.models import Course, Section
from departments.models import Term
from students.models import Student


class EnrollmentStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    ENROLLED = "enrolled", "Enrolled"
    DROPPED = "dropped", "Dropped"
    WITHDRAWN = "withdrawn", "Withdrawn"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


# One enrolment of these for each student and section.
LIVE = (EnrollmentStatus.PENDING, EnrollmentStatus.ENROLLED)
# What the triggers count; a section that is over still shows how many took it.
SEATED = (*LIVE, EnrollmentStatus.COMPLETED)
# What ended before the section did, at `dropped_at`.
LEFT = (EnrollmentStatus.DROPPED, EnrollmentStatus.WITHDRAWN, EnrollmentStatus.CANCELLED)
# What stays on a student's record as an attempt at the course.
ON_RECORD = (*SEATED, EnrollmentStatus.WITHDRAWN)


class GradeBasis(models.TextChoices):
    LETTER = "letter", "Letter grade"
    PASS_FAIL = "pass_fail", "Pass or fail"
    AUDIT = "audit", "Audit"


class Result(models.TextChoices):
    PASS = "pass", "Pass"
    DISTINCTION = "distinction", "Distinction"
    FAIL = "fail", "Fail"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Source(models.TextChoices):
    MANUAL = "manual", "Manual"
    API = "api", "API"
    IMPORT = "import", "Import"


class EnrollmentQuerySet(BaseQuerySet["Enrollment"]):
    def live(self) -> Self:
        """Those that have not ended."""
        return self.filter(status__in=LIVE)

    def seated(self) -> Self:
        """Those that take a seat."""
        return self.filter(status__in=SEATED)

    def for_api(self) -> Self:
        return self.select_related("student__person", "section__course_version", "course", "term")


class Enrollment(VersionedModel):
    """A student's enrolment in one section."""

    # Indexes below begin with these columns, and a composite foreign key in the migrations says that the
    # section exists and is of this course and term, which three single ones would only say again.
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="enrollments", db_index=False)
    section = models.ForeignKey(
        Section, on_delete=models.PROTECT, related_name="enrollments", db_index=False, db_constraint=False
    )
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrollments", db_constraint=False)
    term = models.ForeignKey(
        Term, on_delete=models.PROTECT, related_name="enrollments", db_index=False, db_constraint=False
    )
    status = models.CharField(max_length=12, choices=EnrollmentStatus, default=EnrollmentStatus.ENROLLED)
    credits = models.DecimalField(max_digits=5, decimal_places=2, validators=[MinValueValidator(0)])
    grade_basis = models.CharField(max_length=12, choices=GradeBasis, default=GradeBasis.LETTER)
    attempt_no = models.PositiveSmallIntegerField(default=1, help_text="How often the student has tried the course.")
    is_repeatable = models.BooleanField(
        default=False, editable=False, help_text="The course may be taken more than once in one term."
    )
    result = models.CharField(
        max_length=12,
        choices=Result,
        blank=True,
        help_text="The outcome, as whoever completed the enrolment or another system said; empty until then.",
    )
    enrolled_at = models.DateTimeField(null=True, blank=True, help_text="Null when a source does not say.")
    dropped_at = models.DateTimeField(
        null=True, blank=True, help_text="When the student dropped, withdrew, or lost the section."
    )
    source = models.CharField(max_length=8, choices=Source, default=Source.MANUAL)

    search_paths: ClassVar = ("student__search_text", "student__person__search_name", "course__search_text")

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        verbose_name = "enrolment"
        verbose_name_plural = "enrolments"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "section"],
                condition=Q(status__in=LIVE),
                name="enrollment_enrollment_one_live_in_section",
                violation_error_code="duplicate_enrollment",
                violation_error_message="The student is enrolled in this section already.",
            ),
            models.UniqueConstraint(
                fields=["student", "course", "term"],
                condition=Q(status__in=LIVE, is_repeatable=False),
                name="enrollment_enrollment_one_live_in_course",
                violation_error_code="duplicate_enrollment",
                violation_error_message="The student is enrolled in this course in this term already.",
            ),
            # What the composite foreign key of an attendance record refers to.
            models.UniqueConstraint(
                fields=["id", "section"],
                name="enrollment_enrollment_identity",
                violation_error_code="conflict",
                violation_error_message="An enrolment is in one section.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=LEFT, dropped_at__isnull=False)
                | (~Q(status__in=LEFT) & Q(dropped_at__isnull=True)),
                name="enrollment_enrollment_left_at_a_time",
                violation_error_code="dropped_at_mismatch",
                violation_error_message="An enrolment has a time of leaving exactly when the student has left.",
            ),
            models.CheckConstraint(
                condition=Q(credits__gte=0),
                name="enrollment_enrollment_credits_not_negative",
                violation_error_code="negative_credits",
                violation_error_message="The credits of an enrolment are not negative.",
            ),
            models.CheckConstraint(
                condition=Q(attempt_no__gte=1),
                name="enrollment_enrollment_attempts_counted",
                violation_error_code="min_value",
                violation_error_message="The first attempt at a course is number 1.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=EnrollmentStatus.values),
                name="enrollment_enrollment_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of an enrolment is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(grade_basis__in=GradeBasis.values)
                & Q(result__in=["", *Result.values])
                & Q(source__in=Source.values),
                name="enrollment_enrollment_kinds_known",
                violation_error_code="invalid_choice",
                violation_error_message="The grade basis, result or source of an enrolment is not a known one.",
            ),
        ]
        indexes = [
            models.Index(fields=["student", "created_at", "id"], name="enrollment_by_student"),
            models.Index(fields=["section", "status"], name="enrollment_by_section"),
            models.Index(fields=["term", "created_at", "id"], name="enrollment_by_term"),
            models.Index(fields=["created_at", "id"], name="enrollment_latest"),
            models.Index(fields=["enrolled_at", "id"], name="enrollment_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.student} in {self.section}"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


class EnrollmentEventQuerySet(BaseQuerySet["EnrollmentEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor", "enrollment__student")


class EnrollmentEvent(TimeStampedUUIDModel):
    """One step of an enrolment. It is never changed, and goes only with its enrolment."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="events")
    from_status = models.CharField(max_length=12, choices=EnrollmentStatus, blank=True, help_text="Empty at first.")
    to_status = models.CharField(max_length=12, choices=EnrollmentStatus)
    overridden = ArrayField(
        models.CharField(max_length=64),
        default=list,
        db_default=[],
        blank=True,
        help_text="The rules somebody waived.",
    )
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = EnrollmentEventQuerySet.as_manager()

    class Meta:
        verbose_name = "enrolment event"
        verbose_name_plural = "enrolment events"

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
