"""Calendars that programs of a person's own subscribe to, each by a secret address."""

from django.conf import settings
from django.db import models

from core.models import BaseQuerySet, TimeStampedUUIDModel


class CalendarFeed(TimeStampedUUIDModel):
    """The one calendar feed of an account: whoever knows its secret reads when the person has classes, and where.

    The secret is told once, when it is made; the row holds its hash.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feed")
    secret_hash = models.BinaryField(max_length=32, editable=False)
    made_at = models.DateTimeField(help_text="When the secret was made that opens it now.")

    objects = BaseQuerySet["CalendarFeed"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["secret_hash"],
                name="attendance_calendarfeed_unique_secret",
                violation_error_code="conflict",
                violation_error_message="The secret belongs to another feed.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} since {self.made_at:%Y-%m-%d}"
