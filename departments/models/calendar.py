"""When the university teaches: academic years, terms, and the days on which the week is not as usual."""

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from departments.models.places import Campus


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


class CalendarEventKind(models.TextChoices):
    HOLIDAY = "holiday", "No teaching"
    MAKE_UP = "make_up", "Taught as another weekday"
    NOTICE = "notice", "Notice"


class CalendarEventQuerySet(BaseQuerySet["CalendarEvent"]):
    def for_api(self) -> Self:
        return self.select_related("campus")


class CalendarEvent(VersionedModel):
    """Days on which the week is not as usual: nobody teaches, or one day is taught as if it were another weekday.

    It holds on one campus, or on all of them. What a campus says of a day outranks what is said of all; a day that is
    taught as another weekday is no holiday. A notice changes nothing.
    """

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=CalendarEventKind)
    campus = models.ForeignKey(
        Campus,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="calendar_events",
        help_text="Empty: on every campus.",
    )
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day.")
    taught_as = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(7)],
        help_text="The weekday that a make-up day is taught as. ISO 8601: 1 is Monday, 7 is Sunday.",
    )

    objects = CalendarEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="departments_calendarevent_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="The last day does not come before the first.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CalendarEventKind.values),
                name="departments_calendarevent_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(taught_as__isnull=True) | Q(taught_as__gte=1, taught_as__lte=7),
                name="departments_calendarevent_weekday_known",
                violation_error_code="invalid_weekday",
                violation_error_message="A weekday is a number from 1, Monday, to 7, Sunday.",
            ),
            models.CheckConstraint(
                condition=Q(kind=CalendarEventKind.MAKE_UP, taught_as__isnull=False)
                | (~Q(kind=CalendarEventKind.MAKE_UP) & Q(taught_as__isnull=True)),
                name="departments_calendarevent_says_weekday",
                violation_error_code="weekday_of_make_up",
                violation_error_message="A make-up day says as which weekday it is taught, and nothing else does.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=CalendarEventKind.MAKE_UP) | Q(ends_on=F("starts_on")),
                name="departments_calendarevent_make_up_is_one_day",
                violation_error_code="make_up_is_one_day",
                violation_error_message="A make-up day is one day.",
            ),
            models.UniqueConstraint(
                fields=["campus", "starts_on"],
                condition=Q(kind=CalendarEventKind.MAKE_UP),
                nulls_distinct=False,
                name="departments_calendarevent_one_make_up",
                violation_error_code="make_up_day_taken",
                violation_error_message="The day is taught as another weekday already.",
            ),
        ]
        indexes = [models.Index(fields=["starts_on", "id"], name="departments_calendar_starts_on")]

    def __str__(self) -> str:
        return f"{self.name}, {self.starts_on}"
