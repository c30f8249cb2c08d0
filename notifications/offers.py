"""What programs can be told about by webhooks: events that apps offer, and who may hear of them.

An app offers its events beside what announces them (`<app>/webhooks.py`, imported when it is ready); nothing here knows
which there are. A call says ids and kinds: whoever gets it asks the API for the rest, which knows what they may read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model

from core.events import Event
from core.recording import Disclosure
from core.visibility import visible


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An event that endpoints can be told of.

    Its name is the event's. An owner hears of it who holds `permission` and sees the row of `model` whose column
    `lookup` is what the event says under `key`; of what the event says they are told what `says` names. Where that is
    something of a person, `discloses` says of whom, by its `subject` among what is said.
    """

    event: type[Event]
    label: str
    permission: str
    model: type[Model]
    key: str
    says: tuple[str, ...]
    lookup: str = "pk"
    discloses: Disclosure | None = None

    def __post_init__(self) -> None:
        # Both are asked again by what was said alone: at each call, and when somebody reads what an endpoint was told.
        needed = {self.key} if self.discloses is None else {self.key, self.discloses.subject}
        if missing := needed - set(self.says):
            raise ValueError(f"{self.name} has to say {', '.join(sorted(missing))}")

    @property
    def name(self) -> str:
        """The topic."""
        return self.event.name

    def is_for(self, actor: Any, payload: Mapping[str, Any]) -> bool:
        """Say whether somebody may hear of it."""
        if not actor.has_perm(self.permission):
            return False
        rows = self.model._default_manager.filter(**{self.lookup: payload[self.key]})
        return visible(rows, actor).exists()

    def told(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is said of an event."""
        return {name: payload[name] for name in self.says if name in payload}

    def people(self, said: Iterable[Mapping[str, Any]]) -> list[UUID]:
        """Return whose records that discloses which was said of events."""
        disclosed = self.discloses
        return disclosed.people(each.get(disclosed.subject) for each in said) if disclosed else []


_offers: dict[str, Offer] = {}


def register(offer: Offer) -> Offer:
    """Let endpoints ask for an event; it is offered in one way alone."""
    if _offers.setdefault(offer.name, offer) != offer:
        raise ValueError(f"There is another offer of {offer.name}")
    return offer


def offers() -> list[Offer]:
    """Return everything that is offered, by name."""
    return [_offers[name] for name in sorted(_offers)]


def offer_named(name: str) -> Offer | None:
    """Return what is offered under a name, if anything is."""
    return _offers.get(name)
