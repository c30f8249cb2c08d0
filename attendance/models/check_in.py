"""Checking in by oneself: from when until when the students of a session may, and every attempt to."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from attendance.models.sessions import ClassSession
from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from core.security.fields import EncryptedTextField
from courses.models import Section
from enrollment.models import Enrollment
from students.models import Student

MOST_METRES = 5000


class Outcome(models.TextChoices):
    """What became of an attempt: the code of what was told to whoever made it."""

    ACCEPTED = "accepted", "Accepted"
    CLOSED = "check_in_closed", "Nobody was checking in"
    EARLY = "check_in_early", "Too early"
    TOKEN_INVALID = "token_invalid", "Token not of this session"  # nosec B105 - a code
    TOKEN_EARLY = "token_early", "Token not shown yet"  # nosec B105 - a code
    TOKEN_EXPIRED = "token_expired", "Token not shown any more"  # nosec B105 - a code
    NOT_EXPECTED = "not_expected", "Not of this class"
    SELF_MARKING = "self_marking", "Marks this class"
    REPLAYED = "check_in_replayed", "Checked in already"
    WRONG_NETWORK = "wrong_network", "Wrong network"
    WRONG_PLACE = "wrong_place", "Wrong place"
    DEVICE_SHARED = "device_shared", "Device of another student"
    DEVICE_ELSEWHERE = "device_elsewhere", "Device in another session"
    SESSION_CANCELLED = "session_cancelled", "Session cancelled"
    SESSION_LOCKED = "session_locked", "Sheet locked"
    SESSION_CLOSED = "session_closed", "Sheet closed"
    SESSION_NOT_BEGUN = "session_not_begun", "Session to come"


class Flag(models.TextChoices):
    """What a person should look at; nothing follows from it by itself."""

    SHARED_DEVICE = "shared_device", "Device used by several students"
    IMPOSSIBLE_PLACE = "impossible_place", "Too far from the place before"
    BURST = "burst", "Many attempts in a minute"
    TWO_PLACES = "two_places", "In another class at the time"


class CheckInWindow(VersionedModel):
    """From when until when the students of one session check in by themselves, with what signs the codes on the wall.

    The networks and the place are where they have to be; without any they may be anywhere.
    """

    session = models.OneToOneField(ClassSession, on_delete=models.CASCADE, related_name="check_in_window")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    secret = EncryptedTextField(max_length=64, editable=False)
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    radius_m = models.PositiveIntegerField(null=True, blank=True, help_text="How far from the place one may be.")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = BaseQuerySet["CheckInWindow"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")),
                name="attendance_checkinwindow_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A check-in closes after it opens.",
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None, radius_m=None)
                | Q(latitude__isnull=False, longitude__isnull=False, radius_m__isnull=False)
                & Q(latitude__range=(-90, 90), longitude__range=(-180, 180), radius_m__range=(1, MOST_METRES)),
                name="attendance_checkinwindow_place_is_whole",
                violation_error_code="invalid_place",
                violation_error_message="A place has a latitude, a longitude and a radius of 1 to 5000 metres.",
            ),
        ]

    def __str__(self) -> str:
        return f"check-in of {self.session_id}"


class CheckInEventQuerySet(BaseQuerySet["CheckInEvent"]):
    def for_api(self) -> Self:
        return self.select_related("student__person")


class CheckInEvent(TimeStampedUUIDModel):
    """One attempt of a student to check in to a session, accepted or refused.

    The device is known by a keyed hash of what it calls itself, good for telling whether two attempts came from one
    device and for nothing else. Coordinates are kept to about a hundred metres.
    """

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="check_in_events", db_index=False)
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="+")
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="check_in_events", db_index=False)
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.PROTECT, null=True, related_name="check_in_events",
        help_text="Empty where the student is not expected.",
    )  # fmt: skip
    outcome = models.CharField(max_length=20, choices=Outcome)
    at = models.DateTimeField()
    during = DateTimeRangeField(help_text="When the session is: a device is in one at a time.")
    device_hash = models.BinaryField(max_length=32)
    address = models.GenericIPAddressField(null=True, blank=True)
    latitude = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    longitude = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    flags = ArrayField(models.CharField(max_length=20, choices=Flag), default=list, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    note = models.CharField(max_length=500, blank=True, help_text="What came of looking at it.")

    objects = CheckInEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "student"],
                condition=Q(outcome="accepted"),
                name="attendance_checkinevent_once",
                violation_error_code="check_in_replayed",
                violation_error_message="You have checked in to this session already.",
            ),
            ExclusionConstraint(
                name="attendance_checkinevent_device_in_one_place",
                expressions=[("device_hash", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(outcome="accepted"),
                violation_error_code="device_shared",
                violation_error_message="Somebody else has checked in with this device.",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values),
                name="attendance_checkinevent_outcome_known",
                violation_error_code="invalid_choice",
                violation_error_message="The outcome is not one of the known ones.",
            ),
        ]
        indexes = [
            models.Index(fields=["session", "at"], name="attendance_checkin_of_session"),
            models.Index(fields=["student", "at"], name="attendance_checkin_of_student"),
            models.Index(fields=["device_hash", "at"], name="attendance_checkin_of_device"),
            models.Index(fields=["at"], name="attendance_checkin_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at:%Y-%m-%d %H:%M}"
