"""What devices marked while nothing could be reached."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.sessions import ClassSession
from core.models import BaseQuerySet, TimeStampedUUIDModel
from enrollment.models import Enrollment


class OfflineOutcome(models.TextChoices):
    """What was answered to a mark that came late; what was refused is not kept, and may be sent again."""

    APPLIED = "applied", "Applied"
    KEPT = "kept", "Kept"
    SUPERSEDED = "superseded", "Superseded"
    CONFLICT = "conflict", "Conflict"


class OfflineMark(TimeStampedUUIDModel):
    """One mark that a device made offline, as it was sent and what it was answered: sent again, it does nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    client_id = models.UUIDField(help_text="How the device calls the mark.")
    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="offline_marks")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="offline_marks")
    code = models.CharField(max_length=32)
    minutes_late = models.PositiveSmallIntegerField(null=True)
    made_at = models.DateTimeField()
    made_on = models.PositiveIntegerField(help_text="The version of the session that the device had read.")
    outcome = models.CharField(max_length=10, choices=OfflineOutcome)

    objects = BaseQuerySet["OfflineMark"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "client_id"],
                name="attendance_offlinemark_once",
                violation_error_code="client_id_reused",
                violation_error_message="Another mark of this name was sent before.",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=OfflineOutcome.values),
                name="attendance_offlinemark_outcome_known",
                violation_error_code="invalid_choice",
                violation_error_message="The outcome is not one of the known ones.",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="attendance_offline_by_creation")]

    def __str__(self) -> str:
        return f"{self.code} at {self.made_at:%Y-%m-%d %H:%M}"
