"""Programs are told by calls: an endpoint is where to, a delivery is one call that has to reach it.

    accounts.User 1 --- * WebhookEndpoint 1 --- * WebhookDelivery

An endpoint is told no more than whoever owns it may see. A delivery is tried until the endpoint takes it or it is given
up, each time with the same id, so that an endpoint that was told twice knows.
"""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from core.security.fields import EncryptedTextField

LONGEST_EVENT, LONGEST_URL, MOST_TOPICS = 100, 500, 50


class DisabledBy(models.TextChoices):
    OWNER = "owner", "Switched off"
    FAILURES = "failures", "It failed for too long"
    GONE = "gone", "It said that it is gone"


class CallState(models.TextChoices):
    WAITING = "waiting", "Waits for its time"
    SENDING = "sending", "Is being sent"
    DELIVERED = "delivered", "Taken by the endpoint"
    FAILED = "failed", "Given up"
    DROPPED = "dropped", "Not the owner's to know any more"


class WebhookEndpointQuerySet(BaseQuerySet["WebhookEndpoint"]):
    def for_api(self) -> Self:
        return self.select_related("owner")


class WebhookEndpoint(VersionedModel):
    """Where the program of somebody wants to be told about topics.

    Calls are signed with the secret, and with the former one as well until programs have changed over.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, editable=False, related_name="webhook_endpoints"
    )
    api_key = models.ForeignKey(
        "accounts.ApiKey",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="The key it was last written with: it is told what that key, or its successor, opens.",
    )
    url = models.CharField(max_length=LONGEST_URL, help_text="Where to: HTTPS, at an address that is public.")
    description = models.CharField(max_length=200, blank=True, default="", db_default="")
    topics = ArrayField(models.CharField(max_length=LONGEST_EVENT), size=MOST_TOPICS)
    is_enabled = models.BooleanField(default=True, db_default=True)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_by = models.CharField(max_length=8, choices=DisabledBy, blank=True, editable=False)
    failures = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many calls have failed since one did not."
    )
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    secret = EncryptedTextField(max_length=100, editable=False)
    former_secret = EncryptedTextField(max_length=100, null=True, blank=True, editable=False)
    former_until = models.DateTimeField(null=True, blank=True, editable=False)

    # The secret itself, on a row that was just given one and nowhere else.
    told: str = ""

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(topics__len__gt=0),
                name="notifications_webhookendpoint_about_something",
                violation_error_code="required",
                violation_error_message="An endpoint names what it wants to be told about.",
            ),
            models.CheckConstraint(
                condition=Q(url__regex=r"^https?://[^\s]+$"),
                name="notifications_webhookendpoint_called_by_http",
                violation_error_code="unusable_url",
                violation_error_message="An endpoint is called by HTTPS.",
            ),
            models.CheckConstraint(
                condition=Q(is_enabled=True, disabled_at=None, disabled_by="")
                | Q(is_enabled=False, disabled_at__isnull=False, disabled_by__in=DisabledBy.values),
                name="notifications_webhookendpoint_disabled_when",
                violation_error_code="invalid",
                violation_error_message="What is switched off was so at some time, by somebody.",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None) | Q(failures__gt=0, failing_since__isnull=False),
                name="notifications_webhookendpoint_failing_since",
                violation_error_code="invalid",
                violation_error_message="What fails has failed since some time.",
            ),
            models.CheckConstraint(
                condition=Q(former_secret__isnull=True, former_until=None)
                | Q(former_secret__isnull=False, former_until__isnull=False),
                name="notifications_webhookendpoint_former_until",
                violation_error_code="invalid",
                violation_error_message="A former secret is good until some time.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} of {self.owner_id}"


class WebhookDeliveryQuerySet(BaseQuerySet["WebhookDelivery"]):
    def due(self, at: datetime) -> Self:
        """Those whose time has come and that nobody is sending."""
        return self.filter(state=CallState.WAITING, due_at__lte=at)

    def lost(self, before: datetime) -> Self:
        """Those that were taken up so long ago that whoever did will not come back."""
        return self.filter(state=CallState.SENDING, claimed_at__lt=before)


class WebhookDelivery(TimeStampedUUIDModel):
    """One thing that an endpoint is told: ids and kinds, of which it reads the rest itself if it may.

    `message_id` is the same for every endpoint and every attempt.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    message_id = models.UUIDField()
    topic = models.CharField(max_length=LONGEST_EVENT)
    payload = models.JSONField()
    state = models.CharField(max_length=9, choices=CallState, default=CallState.WAITING)
    due_at = models.DateTimeField(help_text="Not before this: failures put it off.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When somebody last took it up.")
    delivered_at = models.DateTimeField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="What the endpoint last answered; null if it did not."
    )
    last_error = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="The kind of the last failure."
    )

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes = (
            models.Index(fields=["endpoint", "created_at", "id"], name="notifications_calls_of"),
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="notifications_call_due"),
            models.Index(fields=["claimed_at"], condition=Q(state="sending"), name="notifications_call_taken_up"),
            models.Index(fields=["created_at"], name="notifications_call_by_age"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["endpoint", "message_id"],
                name="notifications_webhookdelivery_once_each",
                violation_error_code="conflict",
                violation_error_message="An endpoint is told a thing once.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=CallState.values),
                name="notifications_webhookdelivery_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such state.",
            ),
            models.CheckConstraint(
                condition=Q(state=CallState.DELIVERED, delivered_at__isnull=False)
                | (~Q(state=CallState.DELIVERED) & Q(delivered_at=None)),
                name="notifications_webhookdelivery_delivered_when",
                violation_error_code="invalid",
                violation_error_message="What was delivered was so at some time, and nothing else was.",
            ),
            models.CheckConstraint(
                condition=~Q(state=CallState.SENDING) | Q(claimed_at__isnull=False),
                name="notifications_webhookdelivery_taken_up_when",
                violation_error_code="invalid",
                violation_error_message="What is being sent was taken up at some time.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.topic} to {self.endpoint_id}: {self.state}"
