"""What an account has beside its password to prove who it is, and log-ins that wait for it."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from core.models import BaseQuerySet, TimeStampedUUIDModel
from core.security.fields import EncryptedTextField

# A log-in takes as many wrong codes as a password takes wrong guesses.
MOST_WRONG_CODES = 5


class FactorKind(models.TextChoices):
    APP = "totp", "Authenticator app"
    KEY = "webauthn", "Security key"


class SecondFactorQuerySet(BaseQuerySet["SecondFactor"]):
    def confirmed(self) -> Self:
        """Those whose owner has shown to have them; no other counts for anything."""
        return self.filter(confirmed_at__isnull=False)

    def begun(self, after: datetime) -> Self:
        """Those that were begun after a moment and wait to be confirmed."""
        return self.filter(confirmed_at__isnull=True, created_at__gt=after)


class SecondFactor(TimeStampedUUIDModel):
    """One authenticator app or security key of an account."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="second_factors")
    kind = models.CharField(max_length=8, choices=FactorKind)
    name = models.CharField(max_length=80, blank=True, help_text="What its owner calls it.")
    secret = EncryptedTextField(help_text="What its codes are computed from, or the public data of a security key.")
    counter = models.BigIntegerField(
        default=-1, db_default=-1, help_text="The step of the last code, or the last count of a key; it only grows."
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = SecondFactorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(kind=FactorKind.APP, confirmed_at__isnull=False),
                name="accounts_secondfactor_one_app",
                violation_error_code="factor_exists",
                violation_error_message="The account has an authenticator app; remove it first.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FactorKind.values),
                name="accounts_secondfactor_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.user_id}"


class RecoveryCode(TimeStampedUUIDModel):
    """One written code that stands in for a lost factor, once; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = BaseQuerySet["RecoveryCode"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "code_hash"],
                name="accounts_recoverycode_unique",
                violation_error_code="code_exists",
                violation_error_message="The account has this recovery code.",
            ),
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.user_id}"


class PendingLogInQuerySet(BaseQuerySet["PendingLogIn"]):
    def waiting(self, at: datetime) -> Self:
        """Those that a second factor still completes."""
        return self.filter(completed_at__isnull=True, expires_at__gt=at, attempts__lt=MOST_WRONG_CODES)


class PendingLogIn(TimeStampedUUIDModel):
    """A log-in with the right password, or another institution's word, that waits for the second factor."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pending_log_ins")
    token_hash = models.BinaryField(max_length=32)
    token_version = models.PositiveIntegerField(help_text="Of the account; one that has changed completes nothing.")
    amr = ArrayField(models.CharField(max_length=16), help_text="How its owner proved who they are so far.")
    device = models.BinaryField(max_length=16, null=True, help_text="The known device it is made on, if it is one.")
    user_agent = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    challenge = models.CharField(max_length=64, blank=True, help_text="What a security key has to sign.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = PendingLogInQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="accounts_pendinglogin_expires")]
        constraints = [
            models.UniqueConstraint(
                fields=["token_hash"],
                name="accounts_pendinglogin_unique_token",
                violation_error_code="token_taken",
                violation_error_message="The token belongs to another log-in.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"
