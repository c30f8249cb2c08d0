"""What is mailed to the owners of accounts: notices, and links with which they do one thing once."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models.user import User
from core.models import BaseQuerySet, TimeStampedUUIDModel


class MailKind(models.TextChoices):
    PASSWORD_RESET = "password_reset", "Link that sets a password"  # pragma: allowlist secret
    PASSWORD_CHANGED = "password_changed", "Notice of another password"  # pragma: allowlist secret
    ADDRESS_CHANGE = "address_change", "Link that changes the address"
    ADDRESS_CHANGE_ASKED = "address_change_asked", "Notice that another address was asked for"
    ADDRESS_CHANGED = "address_changed", "Notice of another address"
    FACTOR_ADDED = "factor_added", "Notice of a second factor"
    FACTOR_REMOVED = "factor_removed", "Notice that a second factor was removed"
    FACTORS_RESET = "factors_reset", "Notice that an administrator took every second factor away"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed", "Notice of other recovery codes"
    RECOVERY_CODE_USED = "recovery_code_used", "Notice that a recovery code was used"


class AccountMailQuerySet(BaseQuerySet["AccountMail"]):
    def live(self, at: datetime) -> Self:
        """Those whose link is good."""
        return self.filter(token_hash__isnull=False, expires_at__gt=at)


class AccountMail(TimeStampedUUIDModel):
    """One mail to the owner of an account, sent or to be sent.

    The secret of a link is drawn when it is sent, and its hash is there for as long as the link is neither used nor
    replaced. A mail without an account was asked for where nobody has one, and goes to nobody.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="mails")
    kind = models.CharField(max_length=24, choices=MailKind)
    address = models.EmailField(max_length=254, blank=True, help_text="Where it goes.")
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    email = models.EmailField(max_length=254, blank=True, help_text="The address of the account when it was asked for.")
    token_version = models.PositiveIntegerField(default=0, help_text="The account's when it was asked for.")
    token_hash = models.BinaryField(max_length=32, null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    session_id = models.UUIDField(null=True, blank=True, help_text="The session that asked, which a link lets go on.")
    used_at = models.DateTimeField(null=True, blank=True)

    objects = AccountMailQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["requested_at"], name="accounts_accountmail_requested")]
        constraints = [
            models.UniqueConstraint(
                fields=["token_hash"],
                name="accounts_accountmail_unique_token",
                violation_error_code="link_taken",
                violation_error_message="Another link has this secret.",
            ),
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=Q(token_hash__isnull=False),
                name="accounts_accountmail_one_link",
                violation_error_code="link_open",
                violation_error_message="The account has another link for this.",
            ),
            models.CheckConstraint(
                condition=Q(token_hash__isnull=True) | Q(expires_at__isnull=False),
                name="accounts_accountmail_link_ends",
                violation_error_code="link_without_end",
                violation_error_message="A link is good for a time.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=MailKind.values),
                name="accounts_accountmail_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such kind of mail.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
