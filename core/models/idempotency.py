"""The memory of answered requests, so that a request sent twice takes effect once."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.models.base import BaseQuerySet, TimeStampedUUIDModel


class IdempotencyKeyQuerySet(BaseQuerySet["IdempotencyKey"]):
    def live(self) -> Self:
        """Those still remembered, by the database's clock."""
        return self.filter(expires_at__gt=Now())

    def expired(self) -> Self:
        """Those whose key may be used anew."""
        return self.filter(expires_at__lte=Now())


class IdempotencyKey(TimeStampedUUIDModel):
    """The final answer to one caller's request, under the key the caller chose.

    The row commits together with the effect of the request. A refused request leaves its answer
    here and nothing elsewhere.
    """

    principal = models.CharField(max_length=100, help_text="Who sent the request; keys of others are never seen.")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.TextField()
    request_sha256 = models.CharField(max_length=64, help_text="Digest of what was asked, in hexadecimal.")
    status_code = models.PositiveSmallIntegerField()
    response_headers = models.JSONField(default=dict)
    response_body = models.BinaryField()
    expires_at = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="core_idempotencykey_expiry")]
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "key"],
                name="core_idempotencykey_unique_key",
                violation_error_code="idempotency_in_progress",
                violation_error_message="A request with this key is being answered.",
            ),
            models.CheckConstraint(
                condition=Q(key__regex=r"^[\x20-\x7e]{1,255}$"),
                name="core_idempotencykey_printable_key",
                violation_error_code="idempotency_key_invalid",
                violation_error_message="The key is 1 to 255 printable ASCII characters.",
            ),
            models.CheckConstraint(
                condition=Q(status_code__range=(200, 499)),
                name="core_idempotencykey_final_answer",
                violation_error_code="idempotency_answer_not_final",
                violation_error_message="Only a final answer is remembered.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} by {self.principal}"
