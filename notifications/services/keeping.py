"""How long it is known what somebody, or a program, was told."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from core.db.purging import purge
from core.privacy.retention import spared
from notifications.models import CallState, Notification, WebhookDelivery

KEPT = timedelta(days=365)
DELIVERIES_KEPT = timedelta(days=30)


def notifications_due(at: datetime) -> QuerySet[Notification]:
    """Return the notifications that have had their time, but for those of people whose records are held."""
    return spared(Notification.objects.filter(created_at__lt=at - KEPT), "recipient__person")


def purge_notifications(at: datetime, *, batch: int = 5000) -> int:
    """Forget notifications that have had their time, in small transactions; return how many rows that were.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(notifications_due(at), order="created_at", batch=batch)


def deliveries_due(at: datetime) -> QuerySet[WebhookDelivery]:
    """Return the deliveries that have had their time, but for those that are under way."""
    over = (CallState.DELIVERED, CallState.FAILED, CallState.DROPPED)
    return WebhookDelivery.objects.filter(created_at__lt=at - DELIVERIES_KEPT, state__in=over)


def purge_deliveries(at: datetime, *, batch: int = 5000) -> int:
    """Forget deliveries that have had their time, in small transactions; return how many rows that were.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(deliveries_due(at), order="created_at", batch=batch)
