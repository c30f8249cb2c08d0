"""When and where sections meet.

What occupies a room is a meeting. Sections that are taught together (combined or cross-listed)
share one meeting, so that a room with two meetings at one time is always a clash.
"""

from calendar import day_name
from datetime import date, time, timedelta
from typing import Any, ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import DateRangeField, IntegerRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, DateField, F, Func, GeneratedField, IntegerField, OuterRef, Q, When
from django.db.models.functions import Greatest, JSONObject, Least

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from departments.models import Room


def validate_whole_minute(value: time) -> None:
    """Refuse seconds: timetables count minutes."""
    if value.second or value.microsecond:
        raise ValidationError("A meeting begins and ends on a full minute.", code="whole_minutes")


class Minute(Func):
    """The minute of the day at which a time of day lies: 0 to 1439."""

    template = "(EXTRACT(EPOCH FROM %(expressions)s) / 60)::integer"
    output_field = IntegerField()


class LastDay(Func):
    """The last day of a range of days that has an end."""

    template = "(upper(%(expressions)s) - 1)"
    output_field = DateField()


class FirstDay(Func):
    """The first day of a range of days."""

    template = "lower(%(expressions)s)"
    output_field = DateField()


def occupied_minutes() -> Func:
    """Return the minutes between the two times, in whichever order they are: a range cannot run backwards."""
    starts, ends = Minute(F("starts_at")), Minute(F("ends_at"))
    return Func(Least(starts, ends), Greatest(starts, ends), function="int4range", output_field=IntegerRangeField())


class MeetingQuerySet(BaseQuerySet["Meeting"]):
    def for_api(self) -> Self:
        sections = MeetingSection.objects.filter(meeting=OuterRef("pk")).order_by(
            "section__course__code", "section__code"
        )
        section = JSONObject(
            id="section_id",
            code="section__code",
            course=JSONObject(
                id="section__course_id", code="section__course__code", title="section__course_version__title"
            ),
            term=JSONObject(id="section__term_id", code="section__term__code"),
        )
        return self.select_related("room__building").annotate(section_rows=ArraySubquery(sections.values(json=section)))


class Meeting(VersionedModel):
    """A weekly appointment: a weekday, two times of day and a span of days, usually in a room."""

    weekday = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(7)], help_text="ISO 8601: 1 is Monday, 7 is Sunday."
    )
    starts_at = models.TimeField(validators=[validate_whole_minute])
    ends_at = models.TimeField(validators=[validate_whole_minute])
    dates = DateRangeField(help_text="First day (inclusive) until last day (exclusive).")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="meetings")
    conflict_waived = models.BooleanField(
        default=False, help_text="Knowingly in the room together with another meeting."
    )
    note = models.CharField(max_length=200, blank=True)
    sections = models.ManyToManyField("courses.Section", through="courses.MeetingSection", related_name="meetings")
    minutes = GeneratedField(expression=occupied_minutes(), output_field=IntegerRangeField(), db_persist=True)

    in_sql: ClassVar = {"last_day": lambda of: (LastDay(f"{of}dates"), DateField())}

    objects = MeetingQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="courses_meeting_room_free",
                expressions=[
                    ("room", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    ("minutes", RangeOperators.OVERLAPS),
                    ("dates", RangeOperators.OVERLAPS),
                ],
                condition=Q(room__isnull=False, conflict_waived=False),
                violation_error_code="room_conflict",
                violation_error_message="Another meeting takes place in the room at that time.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="courses_meeting_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A meeting ends after it starts, on the same day.",
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=1, weekday__lte=7),
                name="courses_meeting_weekday_known",
                violation_error_code="invalid_weekday",
                violation_error_message="A weekday is a number from 1, Monday, to 7, Sunday.",
            ),
            models.CheckConstraint(
                condition=Q(dates__isempty=False, dates__lower_inf=False, dates__upper_inf=False),
                name="courses_meeting_has_dates",
                violation_error_code="ends_before_start",
                violation_error_message="A meeting has a first and a last day, in this order.",
            ),
        ]
        indexes = [
            models.Index(fields=["weekday", "starts_at", "id"], name="courses_meeting_by_time"),
            models.Index(fields=["starts_at", "id"], name="courses_meeting_by_start"),
            models.Index(fields=["created_at", "id"], name="courses_meeting_latest"),
        ]

    @property
    def last_day(self) -> date:
        """The last day of the span."""
        last: date = self.dates.upper - timedelta(days=1)
        return last

    def __str__(self) -> str:
        return f"{day_name[self.weekday - 1]} {self.starts_at:%H:%M}-{self.ends_at:%H:%M}"


class MeetingSectionQuerySet(BaseQuerySet["MeetingSection"]):
    def as_json(self) -> "models.QuerySet[MeetingSection, Any]":
        """Return each row as the object that a section shows of its meeting."""
        room = JSONObject(id="meeting__room_id", code="meeting__room__code", building="meeting__room__building__code")
        return self.values(
            json=JSONObject(
                id="meeting_id",
                weekday="meeting__weekday",
                starts_at="meeting__starts_at",
                ends_at="meeting__ends_at",
                room=Case(When(meeting__room__isnull=False, then=room)),
                dates=JSONObject(starts_on=FirstDay("meeting__dates"), ends_on=LastDay("meeting__dates")),
            )
        )


class MeetingSection(TimeStampedUUIDModel):
    """A section that a meeting serves; several are taught together."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="meeting_sections", db_index=False)
    section = models.ForeignKey("courses.Section", on_delete=models.CASCADE, related_name="meeting_sections")

    objects = MeetingSectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "section"],
                name="courses_meetingsection_once",
                violation_error_code="conflict",
                violation_error_message="The meeting serves this section already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.section} on {self.meeting}"
