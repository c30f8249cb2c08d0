"""What was said when those who do a project met whoever supervises it, and who has signed that it was.

    FinalYearProject 1 --- * LogEntry * --- 0..1 ProjectMember (who signed)
                             LogEntry * --- 0..1 faculty.Faculty (who signed)

Triggers keep what both have signed as it is, and let nobody but the supervisor of the project sign as that.
"""

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, VersionedModel
from faculty.models import Faculty
from projects.models.final_year import FinalYearProject
from projects.models.milestones import LONGEST_TEXT
from students.models import Student

# A day: whoever meets for longer meets twice.
LONGEST_MEETING = 1440


class LogEntryQuerySet(BaseQuerySet["LogEntry"]):
    def for_api(self) -> Self:
        return self.select_related("project", "written_by", "student_signed_by__person", "supervisor_signed_by__person")


class LogEntry(VersionedModel):
    """One meeting: when, how long, and what was said. Signed by both sides, it stays as it is."""

    # The unique constraint below begins with the project.
    project = models.ForeignKey(FinalYearProject, on_delete=models.PROTECT, related_name="log_entries", db_index=False)
    met_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MEETING)], help_text="How long it took."
    )
    summary = models.TextField(max_length=LONGEST_TEXT, help_text="What was said.")
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    # A composite foreign key says that it is a member of the project.
    student_signed_by = models.ForeignKey(
        Student, on_delete=models.PROTECT, null=True, editable=False, related_name="+", db_constraint=False
    )
    student_signed_at = models.DateTimeField(null=True, editable=False)
    supervisor_signed_by = models.ForeignKey(
        Faculty, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    supervisor_signed_at = models.DateTimeField(null=True, editable=False)

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "entry of a supervision log"
        verbose_name_plural = "entries of supervision logs"
        permissions = (("sign_logentry", "Can sign what was said in a meeting"),)
        constraints = (
            models.UniqueConstraint(
                fields=["project", "met_at"],
                name="projects_logentry_once",
                violation_error_code="log_entry_taken",
                violation_error_message="There is an entry about this meeting already.",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=LONGEST_MEETING),
                name="projects_logentry_minutes_in_range",
                violation_error_code="minutes_out_of_range",
                violation_error_message=f"A meeting takes between 1 and {LONGEST_MEETING} minutes.",
            ),
            models.CheckConstraint(
                condition=~Q(summary=""),
                name="projects_logentry_said",
                violation_error_code="blank",
                violation_error_message="An entry says what was said.",
            ),
            models.CheckConstraint(
                condition=Q(student_signed_by__isnull=True, student_signed_at__isnull=True)
                | Q(student_signed_by__isnull=False, student_signed_at__isnull=False),
                name="projects_logentry_student_signed",
                violation_error_code="invalid",
                violation_error_message="A signature has a person and an instant.",
            ),
            models.CheckConstraint(
                condition=Q(supervisor_signed_by__isnull=True, supervisor_signed_at__isnull=True)
                | Q(supervisor_signed_by__isnull=False, supervisor_signed_at__isnull=False),
                name="projects_logentry_supervisor_signed",
                violation_error_code="invalid",
                violation_error_message="A signature has a person and an instant.",
            ),
        )
        indexes = (models.Index(fields=["met_at", "id"], name="projects_logentry_by_meeting"),)

    def __str__(self) -> str:
        return f"{self.project_id}, {self.met_at:%Y-%m-%d %H:%M}"

    @property
    def is_signed(self) -> bool:
        """Whether anybody has signed it."""
        return self.student_signed_at is not None or self.supervisor_signed_at is not None
