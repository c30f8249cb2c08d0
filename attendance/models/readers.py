"""Readers at doors, the cards that they read, and what they have seen."""

from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from attendance.models.sessions import ClassSession
from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from departments.models import Room
from students.models import Student


class ReaderQuerySet(BaseQuerySet["Reader"]):
    def for_api(self) -> Self:
        return self.select_related("room__building", "account")


class Reader(VersionedModel):
    """A device at the door of a room, and the account whose keys report what it sees.

    What is told of a reader that is not active, or by another account, is not believed.
    """

    code = models.CharField(
        max_length=32,
        validators=[RegexValidator(r"\A[A-Za-z0-9_.-]+\Z", "Letters, digits, dots, dashes and underscores.")],
        help_text="What it is called in what is reported.",
    )
    name = models.CharField(max_length=80)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="readers")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="readers",
        help_text="Whose keys report.",
    )
    is_active = models.BooleanField(default=True)

    objects = ReaderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="attendance_reader_unique_code",
                violation_error_code="code_taken",
                violation_error_message="There is a reader of this code.",
            )
        ]

    def __str__(self) -> str:
        return self.code


class CredentialQuerySet(BaseQuerySet["Credential"]):
    def for_api(self) -> Self:
        return self.select_related("student__person")


class Credential(TimeStampedUUIDModel):
    """A card, or what else a reader reads, of one student; it is known by a keyed hash and by what people call it."""

    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="credentials")
    credential_hash = models.BinaryField(max_length=32, editable=False)
    label = models.CharField(max_length=80, blank=True, help_text="What people call it, such as: Blue card.")

    objects = CredentialQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credential_hash"],
                name="attendance_credential_once",
                violation_error_code="credential_taken",
                violation_error_message="This credential belongs to somebody already.",
            )
        ]

    def __str__(self) -> str:
        return self.label or "Credential"


class PunchOutcome(models.TextChoices):
    MARKED = "marked", "Marked"
    KEPT = "kept", "Another mark stays"
    NO_SESSION = "no_session", "No class of the student there"
    SESSION_LOCKED = "session_locked", "Sheet locked"


class PunchQuerySet(BaseQuerySet["Punch"]):
    def for_api(self) -> Self:
        return self.select_related("student__person", "reader")


class Punch(TimeStampedUUIDModel):
    """That a reader has seen the credential of a student, and what came of it. A reader numbers what it sees."""

    reader = models.ForeignKey(Reader, on_delete=models.PROTECT, related_name="punches", db_index=False)
    external_event_id = models.CharField(max_length=100)
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="punches")
    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, null=True, related_name="punches")
    at = models.DateTimeField(db_index=True)
    outcome = models.CharField(max_length=20, choices=PunchOutcome)

    objects = PunchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "punches"
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "external_event_id"],
                name="attendance_punch_once",
                violation_error_code="duplicate_punch",
                violation_error_message="The reader has reported this event already.",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=PunchOutcome.values),
                name="attendance_punch_outcome_known",
                violation_error_code="invalid_choice",
                violation_error_message="The outcome is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at:%Y-%m-%d %H:%M}"
