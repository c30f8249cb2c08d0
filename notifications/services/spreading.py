"""Letting programs hear of what happened: one delivery for each endpoint that asked for it and may know."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.events import publish_all, subscribe
from core.ids import new_id
from notifications.events import CallsDue
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.offers import Offer, register
from notifications.selectors import acting_for


def offer_events(*offered: Offer) -> None:
    """Let endpoints ask for events; from then on a relay spreads each that is announced."""
    for each in offered:
        subscribe(register(each).event)(_spreader(each))


@transaction.atomic
def spread(offer: Offer, payload: dict[str, Any], *, at: datetime) -> int:
    """Write down what each endpoint that asked for a topic, and may hear of it, is to be told; return how many do.

    In the transaction of the relay, so that an event is written down once.
    """
    asked = WebhookEndpoint.objects.filter(is_enabled=True, topics__contains=[offer.name])
    message_id, said = new_id(), offer.told(payload)
    rows = [
        WebhookDelivery(endpoint=each, message_id=message_id, topic=offer.name, payload=said, due_at=at)
        for each in asked.select_related("api_key").order_by("pk")
        if (actor := acting_for(each, at=at)) is not None and offer.is_for(actor, payload)
    ]
    WebhookDelivery.objects.bulk_create(rows)
    publish_all(CallsDue(endpoint_id=row.endpoint_id) for row in rows)
    return len(rows)


def _spreader(offer: Offer) -> Callable[[dict[str, Any]], None]:
    def spread_to_webhooks(payload: dict[str, Any]) -> None:
        spread(offer, payload, at=timezone.now())

    return spread_to_webhooks
