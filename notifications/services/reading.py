"""What people have read."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from notifications.models import Notification


@transaction.atomic
def mark_read(notification: Notification, *, at: datetime) -> Notification:
    """Note that a notification was read; when it was read first stays."""
    if notification.read_at is None:
        notification.read_at = at
        notification.save(update_fields=["read_at", "updated_at"])
    return notification


def mark_all_read(user: User, *, at: datetime) -> int:
    """Note that an account has read everything it was told so far, and return how much of it was unread."""
    return Notification.objects.listed().unread().filter(recipient=user).update(read_at=at)
