"""What notifications say about people."""

from core.privacy import impersonal, personal
from core.privacy.retention import keep_for
from notifications import services
from notifications.models import DeliveryAttempt, Notification, Preference, QuietHours, WebhookEndpoint

personal(
    Notification,
    says="What you were told, and when you read it.",
    kept="A year; erasure removes it.",
    paths=("recipient__person",),
    keeps="topic title text link is_listed read_at",
    withholds={
        "dedupe_key": "By which nobody is told the same twice; it names what happened by ids.",
        "told_in": "The number of a transaction, by which streams know what comes after what.",
    },
    deletes=True,
)
personal(
    DeliveryAttempt,
    says="What became of the mails by which you were told something.",
    kept="For as long as what you were told; erasure removes it.",
    paths=("notification__recipient__person",),
    keeps="channel state due_at attempts claimed_at last_error sent_at",
    deletes=True,
)
personal(
    Preference,
    says="What you want to be told about, by what, and how soon.",
    kept="Until you choose otherwise, or erasure removes it.",
    paths=("user__person",),
    keeps="topic channel is_enabled digest",
    deletes=True,
)
personal(
    QuietHours,
    says="At which hours you want no mail, and where you are.",
    kept="Until you choose otherwise, or erasure removes it.",
    paths=("user__person",),
    keeps="starts_at ends_at time_zone",
    deletes=True,
)

impersonal(WebhookEndpoint, owner="Whose program is told, in the course of their work.")

keep_for(
    "notifications.Notification",
    kept=lambda: services.KEPT,
    basis="Whoever says that nobody told them can be shown, for as long as a decision of a year may be contested.",
    due=lambda at: services.notifications_due(at).count(),
    apply=services.purge_notifications,
)
keep_for(
    "notifications.WebhookDelivery",
    kept=lambda: services.DELIVERIES_KEPT,
    basis="Whoever runs a program looks for what it missed, and has it sent again, within weeks.",
    due=lambda at: services.deliveries_due(at).count(),
    apply=services.purge_deliveries,
)
