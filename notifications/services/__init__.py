"""Everything that changes notifications: telling people and programs, reading, choosing, mails, calls, forgetting."""

from notifications.services.calling import (
    DeliveryUnderWayError,
    WebhookDisabledError,
    announce_calls,
    call_endpoint,
    replay,
)
from notifications.services.choosing import (
    Chosen,
    DigestNeedsMailError,
    EmptyQuietHoursError,
    MandatoryTopicError,
    RepeatedPreferenceError,
    UnknownTopicError,
    choose,
)
from notifications.services.endpoints import (
    LONGEST_OVERLAP,
    EndpointValues,
    TooManyEndpointsError,
    TopicNotPermittedError,
    UnusableEndpointUrlError,
    create_endpoint,
    delete_endpoint,
    disable_personal,
    rotate_secret,
    update_endpoint,
)
from notifications.services.keeping import (
    DELIVERIES_KEPT,
    KEPT,
    deliveries_due,
    notifications_due,
    purge_deliveries,
    purge_notifications,
)
from notifications.services.mails import announce_due, send_mails
from notifications.services.reading import mark_all_read, mark_read
from notifications.services.spreading import offer_events, spread
from notifications.services.telling import notify

__all__ = [
    "DELIVERIES_KEPT",
    "KEPT",
    "LONGEST_OVERLAP",
    "Chosen",
    "DeliveryUnderWayError",
    "DigestNeedsMailError",
    "EmptyQuietHoursError",
    "EndpointValues",
    "MandatoryTopicError",
    "RepeatedPreferenceError",
    "TooManyEndpointsError",
    "TopicNotPermittedError",
    "UnknownTopicError",
    "UnusableEndpointUrlError",
    "WebhookDisabledError",
    "announce_calls",
    "announce_due",
    "call_endpoint",
    "choose",
    "create_endpoint",
    "delete_endpoint",
    "deliveries_due",
    "disable_personal",
    "mark_all_read",
    "mark_read",
    "notifications_due",
    "notify",
    "offer_events",
    "purge_deliveries",
    "purge_notifications",
    "replay",
    "rotate_secret",
    "send_mails",
    "spread",
    "update_endpoint",
]
