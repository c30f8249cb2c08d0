"""How often somebody tried a password lately, and until when nobody may try again."""

from datetime import datetime
from typing import Self

from django.db import models

from core.models import BaseQuerySet, TimeStampedUUIDModel


class GuessCountQuerySet(BaseQuerySet["GuessCount"]):
    def locked(self, at: datetime) -> Self:
        """Those that nobody may guess at."""
        return self.filter(locked_until__gt=at)


class GuessCount(TimeStampedUUIDModel):
    """The guesses at one account, known or made up, or those from one of its own devices, since the last right one."""

    subject = models.BinaryField(
        max_length=32, help_text="A keyed hash: what people type as an address may be a secret."
    )
    guesses = models.PositiveIntegerField()
    counted_at = models.DateTimeField(help_text="When the last guess was admitted.")
    locked_until = models.DateTimeField(help_text="No guess is admitted before.")

    objects = GuessCountQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["locked_until"], name="accounts_guesscount_locked"),
            models.Index(fields=["counted_at"], name="accounts_guesscount_counted"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"],
                name="accounts_guesscount_unique_subject",
                violation_error_code="subject_counted",
                violation_error_message="The guesses at this subject are counted already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guesses} guesses"
