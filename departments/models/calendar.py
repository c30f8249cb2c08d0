"""When the university teaches: academic years and terms."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel


class AcademicYear(VersionedModel):
    """The span of days by which the university counts its years."""

    code = models.CharField(max_length=32)
    name = models.CharField(max_length=100)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day.")

    objects = BaseQuerySet["AcademicYear"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="departments_academicyear_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another academic year has this code.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="departments_academicyear_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="An academic year ends after it begins.",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class TermState(models.TextChoices):
    PLANNED = "planned", "Planned"
    REGISTRATION = "registration", "Registration"
    IN_PROGRESS = "in_progress", "In progress"
    GRADING = "grading", "Grading"
    CLOSED = "closed", "Closed"
    ARCHIVED = "archived", "Archived"


class TermQuerySet(BaseQuerySet["Term"]):
    def for_api(self) -> Self:
        return self.select_related("academic_year")


class Term(VersionedModel):
    """A teaching period. Its state decides what may still change in it."""

    academic_year = models.ForeignKey(AcademicYear, on_delete=models.PROTECT, related_name="terms")
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=100)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day.")
    state = models.CharField(max_length=12, choices=TermState, default=TermState.PLANNED)

    objects = TermQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="departments_term_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another term has this code.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="departments_term_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A term ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=TermState.values),
                name="departments_term_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state is not one of the known ones.",
            ),
        ]
        indexes = [
            models.Index(fields=["starts_on", "id"], name="departments_term_starts_on"),
            models.Index(fields=["state"], name="departments_term_state"),
        ]

    def __str__(self) -> str:
        return self.code


class TermStateEvent(TimeStampedUUIDModel):
    """One step of a term from one state to the next, never changed afterwards."""

    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="state_events")
    from_state = models.CharField(max_length=12, choices=TermState)
    to_state = models.CharField(max_length=12, choices=TermState)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = BaseQuerySet["TermStateEvent"].as_manager()

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
