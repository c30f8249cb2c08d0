"""How long what is personal is kept, and by whose doing it goes.

Each app declares its periods in its `privacy.py`. Many are applied by chores of their own, which the list names; the
others by one that goes through them all. Nothing goes of anybody whose records are held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

ModelT = TypeVar("ModelT", bound=Model)
THE_CHORE = "apply_retention"


@dataclass(frozen=True, kw_only=True)
class Period:
    """How long something is kept.

    `due` answers how much of it has had its time at an instant, `apply` deletes that and returns how much it was. Where
    another `chore` does so, there is no `apply` here. `basis` is a sentence: why so long, and no longer.
    """

    what: str
    kept: Callable[[], timedelta]
    basis: str
    due: Callable[[datetime], int]
    chore: str = THE_CHORE
    apply: Callable[[datetime], int] | None = None


_periods: dict[str, Period] = {}
_held: list[Callable[[], Any]] = []


def keep_for(what: str, **facts: Any) -> None:
    """Declare how long something is kept."""
    _periods[what] = Period(what=what, **facts)


def periods() -> list[Period]:
    """Return every period, by the name of what it is about."""
    return [_periods[what] for what in sorted(_periods)]


def name_holds(people: Callable[[], Any]) -> None:
    """Say by a query of ids whose records are held."""
    _held[:] = [people]


def held_people() -> list[Any]:
    """Return the ids of the people whose records are held."""
    return [person for people in _held for person in people()]


def spared(rows: "QuerySet[ModelT]", path: str) -> "QuerySet[ModelT]":
    """Leave out the rows whose `path` leads to somebody whose records are held."""
    for people in _held:
        rows = rows.exclude(**{f"{path}__in": people()})
    return rows
