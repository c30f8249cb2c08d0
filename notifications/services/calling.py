"""Calls of endpoints: at least once each, later and later while they fail, and again when somebody asks for it.

A worker takes up one delivery, commits that, calls, and settles it. A worker that dies in between leaves a delivery
that another takes up again. Logs say ids, statuses and kinds of failures.
"""

import json
import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from accounts.models import User
from audit.services import record_disclosures
from core.errors import ConflictError
from core.events import publish, publish_all
from core.security.outgoing import CallError, UnusableUrlError, post
from core.visibility import Actor
from notifications.events import CallsDue
from notifications.models import CallState, DisabledBy, WebhookDelivery, WebhookEndpoint
from notifications.offers import Offer, offer_named
from notifications.selectors import acting_for, secrets_of
from notifications.services.endpoints import disable
from notifications.signing import headers_of

FIRST_RETRY, SLOWEST_RETRY = timedelta(seconds=30), timedelta(hours=6)
# With these pauses about two days.
MOST_ATTEMPTS = 17
# An endpoint that has taken nothing for as long and as often is switched off.
FAILING_FOR, MOST_FAILURES = timedelta(days=1), 20
# How long one worker stays with one endpoint, and when one that took up a delivery will not come back.
SECONDS_EACH, LOST_AFTER = 120.0, timedelta(minutes=5)
GONE = 410
SUCCESS = range(200, 300)

logger = logging.getLogger(__name__)


class DeliveryUnderWayError(ConflictError):
    """The call has not been made yet, or is being made."""

    code = "delivery_under_way"
    title = "This delivery is under way."


class WebhookDisabledError(ConflictError):
    """Nothing is told to an endpoint that is switched off."""

    code = "webhook_disabled"
    title = "The webhook is switched off; switch it on first."


def call_endpoint(endpoint_id: UUID, *, at: datetime) -> int:
    """Tell an endpoint what is due, until it fails; return how much it has taken."""
    taken, until = 0, time.monotonic() + SECONDS_EACH
    while (claimed := _claim(endpoint_id, at=at)) is not None:
        if not _call(claimed, at=at):
            break
        taken += 1
        if time.monotonic() > until:
            with transaction.atomic():
                publish(CallsDue(endpoint_id=endpoint_id))
            break
    return taken


@transaction.atomic
def announce_calls(*, at: datetime) -> int:
    """Let workers know of the endpoints with deliveries that are due, and return how many there are.

    What somebody took up and never settled is due again: it may have arrived, and arrives under the same id again.
    """
    lost = WebhookDelivery.objects.lost(at - LOST_AFTER).update(state=CallState.WAITING, due_at=at)
    if lost:
        logger.warning("webhook.taken_up_again", extra={"count": lost})
    due = WebhookDelivery.objects.due(at).order_by().values_list("endpoint", flat=True).distinct()
    found = sorted(due)
    publish_all(CallsDue(endpoint_id=each) for each in found)
    return len(found)


@transaction.atomic
def replay(delivery: WebhookDelivery, *, by: Actor | None, at: datetime) -> WebhookDelivery:
    """Tell an endpoint once more, under the same id, what it has taken or what was given up.

    Raises `DeliveryUnderWayError` and `WebhookDisabledError`.
    """
    if delivery.state in (CallState.WAITING, CallState.SENDING):
        raise DeliveryUnderWayError
    if not delivery.endpoint.is_enabled:
        raise WebhookDisabledError
    delivery.state, delivery.attempts, delivery.due_at, delivery.delivered_at = CallState.WAITING, 0, at, None
    delivery.save(update_fields=["state", "attempts", "due_at", "delivered_at", "updated_at"])
    publish(CallsDue(endpoint_id=delivery.endpoint_id))
    return delivery


@transaction.atomic
def _claim(endpoint_id: UUID, *, at: datetime) -> WebhookDelivery | None:
    """Take up the first delivery that is due and still the owner's to know; what is not, is dropped."""
    due = WebhookDelivery.objects.due(at).filter(endpoint=endpoint_id, endpoint__is_enabled=True)
    for row in due.select_related("endpoint__api_key").select_for_update(of=("self",), skip_locked=True).order_by(
        "due_at", "pk"
    )[:50]:  # fmt: skip
        if (told := _told(row, at=at)) is not None:
            row.attempts += 1
            if row.attempts == 1:  # what cannot be put on record is not said; further attempts say the same
                _disclose(row, *told)
            _settle(row, state=CallState.SENDING, attempts=row.attempts, claimed_at=at)
            return row
        _settle(row, state=CallState.DROPPED)
    return None


def _told(row: WebhookDelivery, *, at: datetime) -> tuple[Offer, User] | None:
    """Return what is told to whom, if they may still know: roles end, and so do keys and sight of what it is about."""
    offer, actor = offer_named(row.topic), acting_for(row.endpoint, at=at)
    if offer is None or actor is None or not offer.is_for(actor, row.payload):
        return None
    return offer, actor


def _disclose(row: WebhookDelivery, offer: Offer, to: User) -> None:
    if offer.discloses is not None:
        record_disclosures(
            what=offer.discloses.what, subjects=offer.people([row.payload]), to=to, permission=offer.permission,
            route=f"webhook.{row.topic}",
        )  # fmt: skip


def _call(row: WebhookDelivery, *, at: datetime) -> bool:
    body = body_of(row)
    headers = headers_of(row.message_id, int(time.time()), body, secrets_of(row.endpoint, at=at))
    headers |= {"Content-Type": "application/json", "User-Agent": "CampusHub360-Webhooks"}
    status, error = None, ""
    try:
        status = post(row.endpoint.url, body, headers).status
    except (CallError, UnusableUrlError) as failure:
        error = str(failure)[:100]
    if status in SUCCESS:
        _take(row, status)
        return True
    _fail(row, status=status, error=error or f"Answer{status}", at=at)
    return False


def body_of(row: WebhookDelivery) -> bytes:
    """Return what a delivery says, byte for byte the same at every attempt."""
    said = {"type": row.topic, "timestamp": row.created_at.isoformat(), "data": row.payload}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


@transaction.atomic
def _take(row: WebhookDelivery, status: int | None) -> None:
    _settle(row, state=CallState.DELIVERED, delivered_at=Now(), response_status=status, last_error="")
    WebhookEndpoint.objects.filter(pk=row.endpoint_id, failures__gt=0).update(failures=0, failing_since=None)


@transaction.atomic
def _fail(row: WebhookDelivery, *, status: int | None, error: str, at: datetime) -> None:
    """Put a delivery off, or give it up, and switch off an endpoint that has failed for too long or is gone."""
    logger.warning(
        "webhook.failed",
        extra={"endpoint_id": row.endpoint_id, "delivery_id": row.pk, "attempt": row.attempts, "reason": error},
    )
    delay = min(FIRST_RETRY * 2 ** (row.attempts - 1), SLOWEST_RETRY)
    is_last = row.attempts >= MOST_ATTEMPTS
    state = CallState.FAILED if is_last else CallState.WAITING
    _settle(row, state=state, due_at=at + delay, response_status=status, last_error=error)
    rows = WebhookEndpoint.objects.filter(pk=row.endpoint_id, is_enabled=True)
    rows.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", at))
    endpoint = rows.select_for_update().first()
    if endpoint is None or endpoint.failing_since is None:
        return
    if status == GONE:
        disable(endpoint, because=DisabledBy.GONE, at=at)
    elif endpoint.failures >= MOST_FAILURES and endpoint.failing_since <= at - FAILING_FOR:
        disable(endpoint, because=DisabledBy.FAILURES, at=at)


def _settle(row: WebhookDelivery, **values: object) -> None:
    WebhookDelivery.objects.filter(pk=row.pk).update(**values)
