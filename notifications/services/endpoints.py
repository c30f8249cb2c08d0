"""Endpoints of programs: making and changing them, their secrets, and switching them off."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from audit.services import record
from core import crud
from core.db.locks import lock_named
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.security.outgoing import UnusableUrlError, check_url
from core.visibility import Actor
from notifications.models import CallState, DisabledBy, WebhookDelivery, WebhookEndpoint
from notifications.offers import offer_named
from notifications.selectors import acting_for, keepers_of
from notifications.services.choosing import UnknownTopicError
from notifications.services.telling import notify
from notifications.signing import new_secret
from notifications.topics import DISABLED

MOST_ENDPOINTS = 20
# Why one was switched off, as its owner is told.
FAILED = "It has taken no call for too long, or said that it is gone."
ENDED = "It went with your log-ins, as somebody else may have made it. Switch it on again if it is yours."
OVERLAP, LONGEST_OVERLAP = timedelta(days=1), timedelta(days=7)


class UnusableEndpointUrlError(InvalidError):
    """Nothing is called there: it is no HTTPS, names a place inside, or is no URL."""

    code = "unusable_url"
    title = "An endpoint is called by HTTPS, at a public host, without a password in its URL."
    field = "url"


class TopicNotPermittedError(InvalidError):
    """An endpoint is told nothing that the caller, or its owner, may not read."""

    code = "topic_not_permitted"
    title = "You, or whoever is told, may not read what this topic is about."
    field = "topics"


class TooManyEndpointsError(ConflictError):
    """An account has as many endpoints as it may."""

    code = "too_many_webhooks"
    title = "An account has no more endpoints than that; change or delete one."


class EndpointValues(TypedDict, total=False):
    url: str
    description: str
    topics: list[str]
    is_enabled: bool


@transaction.atomic
def create_endpoint(
    *, by: Actor | None, key_id: UUID | None = None, **values: Unpack[EndpointValues]
) -> WebhookEndpoint:
    """Let a program of the caller be told; the row that is returned tells its secret as `told`, and nothing ever again.

    `key_id` is the API key that the caller uses: the endpoint is told what that opens, and no more. Raises
    `UnusableEndpointUrlError`, `UnknownTopicError`, `TopicNotPermittedError`, all that are due, and
    `TooManyEndpointsError`.
    """
    raise_all(_refused(values, by))
    owner = _owner(by)
    lock_named("webhook endpoints", str(owner.pk))
    if WebhookEndpoint.objects.filter(owner=owner).count() >= MOST_ENDPOINTS:
        raise TooManyEndpointsError(meta={"most": MOST_ENDPOINTS})
    secret = new_secret()
    fields = {**_switched(_tidy(values)), "owner": owner, "api_key_id": key_id, "secret": secret}
    endpoint = crud.create(WebhookEndpoint, fields)
    endpoint.told = secret
    record(action="webhook.created", actor=by, subject=endpoint, on_behalf_of=owner.pk, detail=_facts(endpoint))
    return endpoint


@transaction.atomic
def update_endpoint(
    endpoint: WebhookEndpoint, *, by: Actor | None, key_id: UUID | None = None, **changes: Unpack[EndpointValues]
) -> WebhookEndpoint:
    """Change where a program is told and of what, switch it off, or on again with its failures forgotten.

    An owner who does so by an API key is told what that key opens from then on; the key of anybody else lends its sight
    to nobody. Topics are those that both the caller and whoever is told may read. Raises as `create_endpoint` does.
    """
    is_own = by is not None and by.pk == endpoint.owner_id
    told = [by]
    if "topics" in changes and not (is_own and key_id is not None):
        told.append(acting_for(endpoint, at=timezone.now()))
    raise_all(_refused(changes, *told))
    fields = _tidy(changes)
    if changes.get("is_enabled", endpoint.is_enabled) != endpoint.is_enabled:
        fields = _switched(fields)
    if key_id is not None and is_own:
        fields["api_key_id"] = key_id
    seen = endpoint.version
    crud.update(endpoint, fields)
    if endpoint.version != seen:
        record(
            action="webhook.changed", actor=by, subject=endpoint, on_behalf_of=endpoint.owner_id,
            detail=_facts(endpoint),
        )  # fmt: skip
    if not endpoint.is_enabled:
        _give_up_waiting(endpoint)
    return endpoint


@transaction.atomic
def delete_endpoint(endpoint: WebhookEndpoint, *, by: Actor | None) -> None:
    """Forget an endpoint, and what it was told."""
    record(
        action="webhook.deleted", actor=by, subject=endpoint, on_behalf_of=endpoint.owner_id, detail=_facts(endpoint)
    )
    crud.delete(endpoint)


@transaction.atomic
def rotate_secret(
    endpoint: WebhookEndpoint, *, by: Actor | None, at: datetime, overlap_seconds: int | None = None
) -> WebhookEndpoint:
    """Give an endpoint another secret, told as `told`; calls are signed with the former one as well for a while.

    One that was former already is good for nothing from then on.
    """
    overlap = OVERLAP if overlap_seconds is None else timedelta(seconds=overlap_seconds)
    secret = new_secret()
    former = (endpoint.secret, at + overlap) if overlap else (None, None)
    crud.update(endpoint, {"former_secret": former[0], "former_until": former[1], "secret": secret})
    endpoint.told = secret
    detail = {"former_until": endpoint.former_until}
    record(action="webhook.rotated", actor=by, subject=endpoint, on_behalf_of=endpoint.owner_id, detail=detail)
    return endpoint


@transaction.atomic
def disable_personal(user_id: UUID, *, made_by: datetime, at: datetime) -> None:
    """Switch off what tells programs of a person, if it was made by a time at which all access to them was ended.

    What was made with a key lives with the key.
    """
    rows = WebhookEndpoint.objects.filter(owner=user_id, api_key=None, is_enabled=True, created_at__lte=made_by)
    for endpoint in rows.select_for_update().order_by("pk"):
        disable(endpoint, because=DisabledBy.OWNER, at=at, said=ENDED)


def disable(endpoint: WebhookEndpoint, *, because: DisabledBy, at: datetime, said: str = FAILED) -> None:
    """Switch off an endpoint that takes nothing any more, in the caller's transaction, and tell whose it is."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        is_enabled=False, disabled_at=at, disabled_by=because, version=F("version") + 1
    )
    _give_up_waiting(endpoint)
    record(
        action="webhook.disabled", subject=endpoint, on_behalf_of=endpoint.owner_id, reason=because,
        detail=_facts(endpoint),
    )  # fmt: skip
    notify(
        users=keepers_of(endpoint),
        topic=DISABLED,
        title="A webhook was switched off",
        text=f"{said} What it was not told is in its deliveries.",
        link=f"/webhooks/{endpoint.pk}",
        dedupe_key=f"notifications.webhook_disabled:{endpoint.pk}:{at.isoformat()}",
        at=at,
    )


def _refused(values: EndpointValues, *told: Actor | None) -> list[DomainError]:
    errors: list[DomainError] = []
    if "url" in values:
        try:
            check_url(values["url"])
        except UnusableUrlError as unusable:
            errors.append(UnusableEndpointUrlError(meta={"reason": str(unusable)}))
    for position, name in enumerate(values.get("topics", ())):
        offer = offer_named(name)
        if offer is None:
            errors.append(UnknownTopicError(field=f"topics.{position}"))
        elif not all(each is not None and each.has_perm(offer.permission) for each in told):
            errors.append(TopicNotPermittedError(field=f"topics.{position}"))
    return errors


def _tidy(values: EndpointValues) -> dict[str, Any]:
    fields: dict[str, Any] = dict(values)
    if "topics" in fields:
        fields["topics"] = sorted(set(fields["topics"]))
    return fields


def _switched(fields: dict[str, Any]) -> dict[str, Any]:
    """Say of an endpoint that is switched on or off since when, and by whom it is not."""
    if fields.get("is_enabled", True):
        return {**fields, "disabled_at": None, "disabled_by": "", "failures": 0, "failing_since": None}
    return {**fields, "disabled_at": timezone.now(), "disabled_by": DisabledBy.OWNER}


def _give_up_waiting(endpoint: WebhookEndpoint) -> None:
    WebhookDelivery.objects.filter(endpoint=endpoint, state=CallState.WAITING).update(
        state=CallState.FAILED, last_error="SwitchedOff"
    )


def _owner(by: Actor | None) -> User:
    if not isinstance(by, User):
        raise TypeError("an endpoint belongs to an account")
    return by


def _facts(endpoint: WebhookEndpoint) -> dict[str, str | Collection[str] | bool]:
    return {"url": endpoint.url, "topics": endpoint.topics, "is_enabled": endpoint.is_enabled}
