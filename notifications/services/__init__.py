"""Everything that changes notifications: telling people, their reading and choosing, the mails, and forgetting."""

from notifications.services.choosing import (
    Chosen,
    DigestNeedsMailError,
    EmptyQuietHoursError,
    MandatoryTopicError,
    RepeatedPreferenceError,
    UnknownTopicError,
    choose,
)
from notifications.services.keeping import KEPT, notifications_due, purge_notifications
from notifications.services.mails import announce_due, send_mails
from notifications.services.reading import mark_all_read, mark_read
from notifications.services.telling import notify

__all__ = [
    "KEPT",
    "Chosen",
    "DigestNeedsMailError",
    "EmptyQuietHoursError",
    "MandatoryTopicError",
    "RepeatedPreferenceError",
    "UnknownTopicError",
    "announce_due",
    "choose",
    "mark_all_read",
    "mark_read",
    "notifications_due",
    "notify",
    "purge_notifications",
    "send_mails",
]
