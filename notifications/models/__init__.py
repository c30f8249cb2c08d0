"""What people are told, and what programs are."""

from notifications.models.told import (
    LONGEST_KEY,
    LONGEST_TOPIC,
    Channel,
    DeliveryAttempt,
    DeliveryState,
    Digest,
    Notification,
    Preference,
    QuietHours,
)
from notifications.models.webhooks import (
    LONGEST_URL,
    MOST_TOPICS,
    CallState,
    DisabledBy,
    WebhookDelivery,
    WebhookEndpoint,
)

__all__ = [
    "LONGEST_KEY",
    "LONGEST_TOPIC",
    "LONGEST_URL",
    "MOST_TOPICS",
    "CallState",
    "Channel",
    "DeliveryAttempt",
    "DeliveryState",
    "Digest",
    "DisabledBy",
    "Notification",
    "Preference",
    "QuietHours",
    "WebhookDelivery",
    "WebhookEndpoint",
]
