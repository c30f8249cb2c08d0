"""Announce upward: how a lower layer tells higher layers that something happened.

`publish` writes the fact to the outbox in the caller's transaction; `core.relay` delivers it to
the subscribers after the commit. A fact that was rolled back is never delivered, and one that was
committed is never lost.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from psycopg.types.json import Jsonb

from core.db.copying import copy_values
from core.ids import new_id
from core.models import OutboxEvent
from core.models.outbox import ring
from core.together import gather, is_together

_known: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact, in the past tense, carrying ids and instants rather than objects."""

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" in vars(cls):
            _known.add(cls.name)


Subscriber = Callable[[dict[str, Any]], None]
SubscriberT = TypeVar("SubscriberT", bound=Subscriber)

_subscribers: defaultdict[str, dict[str, Subscriber]] = defaultdict(dict)


def subscribe(event: type[Event]) -> Callable[[SubscriberT], SubscriberT]:
    """Run the decorated function once for each `event` that was committed.

    The function runs inside the relay's transaction: its writes and the note that it has run commit
    together. Its module and name identify it in the outbox, so renaming it makes it a stranger.
    """

    def register(function: SubscriberT) -> SubscriberT:
        _subscribers[event.name][f"{function.__module__}.{function.__name__}"] = function
        return function

    return register


def subscribers_of(name: str) -> dict[str, Subscriber]:
    """Return the subscribers of an event by their identifying names."""
    return dict(_subscribers[name])


def heard_names() -> list[str]:
    """Return the names of the events that somebody subscribes to."""
    return sorted(name for name, subscribers in _subscribers.items() if subscribers)


def unheard_names() -> list[str]:
    """Return the names of the events that are known here and that nobody subscribes to."""
    return sorted(_known.difference(heard_names()))


def publish(event: Event) -> None:
    """Record `event` in the caller's transaction; it is delivered only if that commits."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{event.name} was published outside a transaction")
    if is_together():
        gather(publish_all, event)
    else:
        OutboxEvent.objects.create(name=event.name, payload=_payload(event))


def publish_all(events: Iterable[Event]) -> None:
    """Record many events in the caller's transaction, in their order, as `publish` records one."""
    rows = [(new_id(), event.name, Jsonb(_payload(event))) for event in events]
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("events were published outside a transaction")
    copy_values(OutboxEvent, ("id", "name", "payload"), rows)
    if rows:
        transaction.on_commit(ring, robust=True)


def _payload(event: Event) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(json.dumps(vars(event), cls=DjangoJSONEncoder))
    return payload
