"""A student's way through one program."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from departments.models import Program, Term
from students.models.student import Student


class ProgramEnrollmentStatus(models.TextChoices):
    APPLICANT = "applicant", "Applicant"
    ADMITTED = "admitted", "Admitted"
    ACTIVE = "active", "Active"
    LEAVE_OF_ABSENCE = "leave_of_absence", "On leave of absence"
    SUSPENDED = "suspended", "Suspended"
    WITHDRAWN = "withdrawn", "Withdrawn"
    DISMISSED = "dismissed", "Dismissed"
    COMPLETED = "completed", "Completed"
    GRADUATED = "graduated", "Graduated"


# What has ended stays as it was; whoever comes back enrols anew.
ENDED = (
    ProgramEnrollmentStatus.WITHDRAWN,
    ProgramEnrollmentStatus.DISMISSED,
    ProgramEnrollmentStatus.GRADUATED,
)


class ProgramEnrollmentQuerySet(BaseQuerySet["ProgramEnrollment"]):
    def live(self) -> Self:
        """Those that have not ended."""
        return self.exclude(status__in=ENDED)

    def for_api(self) -> Self:
        return self.select_related("student__person", "program", "start_term")


class ProgramEnrollment(VersionedModel):
    """A student's enrolment in a program, from application to award."""

    # The index below that begins with the student serves the key, too.
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="program_enrollments", db_index=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="enrollments", db_index=False)
    cohort = models.CharField(max_length=32, blank=True, help_text="The group that began together, such as 2026.")
    start_term = models.ForeignKey(Term, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_primary = models.BooleanField(default=False, help_text="The program that the student counts to.")
    status = models.CharField(max_length=16, choices=ProgramEnrollmentStatus, default=ProgramEnrollmentStatus.ACTIVE)

    objects = ProgramEnrollmentQuerySet.as_manager()

    class Meta:
        verbose_name = "program enrolment"
        verbose_name_plural = "program enrolments"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "program"],
                condition=~Q(status__in=ENDED),
                name="students_programenrollment_one_live",
                violation_error_code="already_in_program",
                violation_error_message="The student is enrolled in this program already.",
            ),
            models.UniqueConstraint(
                fields=["student"],
                condition=Q(is_primary=True),
                name="students_programenrollment_one_primary",
                violation_error_code="primary_program_taken",
                violation_error_message="The student has another primary program.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ProgramEnrollmentStatus.values),
                name="students_programenrollment_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of a program enrolment is not one of the known ones.",
            ),
        ]
        indexes = [
            models.Index(fields=["student", "created_at", "id"], name="students_progenroll_by_student"),
            models.Index(fields=["program", "cohort"], name="students_progenroll_by_program"),
            models.Index(fields=["cohort"], condition=Q(is_primary=True), name="students_progenroll_by_cohort"),
            models.Index(fields=["created_at", "id"], name="students_progenroll_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.student} in {self.program.code}"

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


class ProgramEnrollmentEventQuerySet(BaseQuerySet["ProgramEnrollmentEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor", "program_enrollment__student")


class ProgramEnrollmentEvent(TimeStampedUUIDModel):
    """One step of a program enrolment from one status to another, never changed afterwards."""

    # A program enrolment with a history cannot be deleted.
    program_enrollment = models.ForeignKey(
        ProgramEnrollment, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    from_status = models.CharField(max_length=16, choices=ProgramEnrollmentStatus)
    to_status = models.CharField(max_length=16, choices=ProgramEnrollmentStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = ProgramEnrollmentEventQuerySet.as_manager()

    class Meta:
        verbose_name = "program enrolment event"
        verbose_name_plural = "program enrolment events"
        indexes = [models.Index(fields=["program_enrollment", "happened_at", "id"], name="students_progevent_history")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
