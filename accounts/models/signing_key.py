"""The keys that sign access tokens."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel


class KeyState(models.TextChoices):
    NEXT = "next", "Next: published, signs nothing yet"
    ACTIVE = "active", "Active: signs"
    RETIRING = "retiring", "Retiring: verifies what it has signed"
    GONE = "gone", "Gone: verifies nothing"


SIGNING = (KeyState.NEXT, KeyState.ACTIVE)
TRUSTED = (KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRING)


class SigningKeyQuerySet(BaseQuerySet["SigningKey"]):
    def trusted(self) -> Self:
        """Those whose signatures are believed, or will be."""
        return self.filter(state__in=TRUSTED)


class SigningKey(TimeStampedUUIDModel):
    """One ES256 key pair, from its publication until nothing that it signed is believed any more.

    The private half exists only while the key may sign, and only encrypted.
    """

    kid = models.CharField(max_length=43, editable=False, help_text="The thumbprint of the public key (RFC 7638).")
    state = models.CharField(max_length=8, choices=KeyState)
    public_key = models.TextField(help_text="PEM.")
    private_key = models.BinaryField(null=True, help_text="PKCS #8 in DER, encrypted.")
    published_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    # What `core.security.rotation` encrypts anew; the context below is the one that it gives.
    encrypted_columns: ClassVar = ("private_key",)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kid"],
                name="accounts_signingkey_unique_kid",
                violation_error_code="kid_taken",
                violation_error_message="Another key has this id.",
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state__in=SIGNING),
                name="accounts_signingkey_one_signs",
                violation_error_code="signing_key_taken",
                violation_error_message="There is one active key and one next.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SIGNING, private_key__isnull=False)
                | Q(state__in=[KeyState.RETIRING, KeyState.GONE], private_key__isnull=True),
                name="accounts_signingkey_forgets_its_secret",
                violation_error_code="invalid_key_state",
                violation_error_message="A key has its private half while it may sign, and no longer.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kid} ({self.state})"

    @property
    def context(self) -> bytes:
        """What the private half is encrypted for."""
        return f"accounts_signingkey.private_key:{self.pk}".encode()
