"""Log-ins elsewhere: who an account is at another institution, and log-ins that are under way there."""

from django.db import models

from accounts.models.user import User
from core.models import BaseQuerySet, TimeStampedUUIDModel


class FederatedIdentity(TimeStampedUUIDModel):
    """One account at another institution's log-in that opens an account here."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="federated_identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, help_text="Whom the issuer means, for ever; addresses change hands.")
    email = models.EmailField(max_length=254, blank=True, help_text="The verified address it was linked by.")
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = BaseQuerySet["FederatedIdentity"].as_manager()

    class Meta:
        verbose_name_plural = "federated identities"
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"],
                name="accounts_federatedidentity_one_account",
                violation_error_code="identity_taken",
                violation_error_message="This identity opens another account.",
            ),
            models.UniqueConstraint(
                fields=["user", "issuer"],
                name="accounts_federatedidentity_one_of_issuer",
                violation_error_code="account_linked",
                violation_error_message="The account is linked to another identity of this issuer.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.issuer}"


class FederatedLogIn(TimeStampedUUIDModel):
    """A log-in that a browser was sent elsewhere for, until it comes back or is late."""

    provider = models.CharField(max_length=40)
    state_hash = models.BinaryField(max_length=32)
    binding_hash = models.BinaryField(max_length=32, help_text="Of what the client that began it keeps to itself.")
    redirect_uri = models.CharField(max_length=500)
    expires_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True, blank=True)

    objects = BaseQuerySet["FederatedLogIn"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="accounts_federatedlogin_ends")]
        constraints = [
            models.UniqueConstraint(
                fields=["state_hash"],
                name="accounts_federatedlogin_unique_state",
                violation_error_code="state_taken",
                violation_error_message="The state belongs to another log-in.",
            ),
        ]

    def __str__(self) -> str:
        return f"At {self.provider} until {self.expires_at:%Y-%m-%d %H:%M}"
