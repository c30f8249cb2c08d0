"""Where an account is logged in: one family of refresh tokens."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least

from accounts.models.user import User
from core.models import BaseQuerySet, TimeStampedUUIDModel


class SessionQuerySet(BaseQuerySet["Session"]):
    def live(self, at: datetime) -> Self:
        """Those that can still be continued. None outlasts its absolute end, so its next end says it all."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at)

    def ended_before(self, at: datetime) -> Self:
        """Those that were over before `at`, with the moment they ended as `ended_at`."""
        return self.annotate(ended_at=Least("revoked_at", "expires_at")).filter(ended_at__lt=at)


class Session(TimeStampedUUIDModel):
    """One log-in on one device, kept alive by rotating refresh tokens of which only hashes are stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    current_refresh_hash = models.BinaryField(max_length=32)
    previous_refresh_hash = models.BinaryField(max_length=32, null=True)
    rotated_at = models.DateTimeField(help_text="When the current refresh token was issued; the last sign of use.")
    expires_at = models.DateTimeField(help_text="When the current refresh token ends; moves on with each rotation.")
    absolute_expires_at = models.DateTimeField(help_text="When the session ends whatever happens.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True, help_text="Where it was last used from.")
    amr = ArrayField(
        models.CharField(max_length=16),
        default=list,
        db_default=[],
        blank=True,
        help_text="How its owner proved who they are (RFC 8176): pwd, otp, …",
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(Least("revoked_at", "expires_at"), name="accounts_session_ended")]
        constraints = [
            models.UniqueConstraint(
                fields=["current_refresh_hash"],
                name="accounts_session_unique_refresh",
                violation_error_code="refresh_taken",
                violation_error_message="The refresh token belongs to another session.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("absolute_expires_at")),
                name="accounts_session_ends_in_time",
                violation_error_code="session_too_long",
                violation_error_message="A session cannot outlast its absolute end.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"
