"""The rows of a page: read and rendered by PostgreSQL, or by the serializer where that is beyond it.

Either is handed the keys of the rows that a page consists of, so that nothing else is read or rendered, and answers
the same bytes.
"""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.db.models import QuerySet

from core.api.compiled.columns import NotCompiledError
from core.api.compiled.plans import KEYS, Plan, condition, plan_for, run
from core.api.keyset import Keyset
from core.masks import masks_of


class Rows(Protocol):
    """How a list reads its rows and shows them."""

    def fetch(self, ordering: Keyset, keys: QuerySet[Any]) -> list[Any]:
        """Read the rows with these keys, in this order."""

    def key(self, ordering: Keyset, row: Any) -> tuple[Any, ...]:
        """Return where a row stands in the order."""

    def data(self, rows: Sequence[Any]) -> Any:
        """Return what the answer shows of the rows."""

    def subjects(self, rows: Collection[Any]) -> list[UUID]:
        """Return whose records the rows are, of a resource that discloses some."""


def rows_of(view: Any) -> Rows:
    """Return how a list reads its rows for this request."""
    try:
        return RenderedRows(view, plan_for(view))
    except NotCompiledError:
        return LoadedRows(view)


class LoadedRows:
    """Rows as instances of their model, shown by the reader."""

    def __init__(self, view: Any) -> None:
        self.view = view

    def fetch(self, ordering: Keyset, keys: QuerySet[Any]) -> list[Any]:
        return list(ordering.ordered(self.view.loaded(self.view.queryset.all()).filter(pk__in=keys)))

    def key(self, ordering: Keyset, row: Any) -> tuple[Any, ...]:
        return ordering.key(row)

    def data(self, rows: Sequence[Any]) -> Any:
        return self.view.shown(rows, many=True)

    def subjects(self, rows: Collection[Any]) -> list[UUID]:
        found: list[UUID] = self.view.discloses.subjects(rows)
        return found


class RenderedRows:
    """Rows as the JSON that PostgreSQL made of them."""

    def __init__(self, view: Any, plan: Plan) -> None:
        self.view = view
        self.plan = plan
        self._places: dict[str, int] = {}

    def fetch(self, ordering: Keyset, keys: QuerySet[Any]) -> list[Any]:
        using, actor = keys.db, self.view.actor
        fill: dict[str, Any] = {KEYS: lambda: keys.query.get_compiler(using).as_sql()}
        for mask in masks_of(self.view.queryset.model):
            fill[mask.attribute] = partial(condition, mask, actor, using)
        self._places = {name: place for place, name in enumerate(self.plan.columns(ordering))}
        return run(self.plan.statement(ordering, using), fill, using)

    def key(self, ordering: Keyset, row: Any) -> tuple[Any, ...]:
        return tuple(row[self._places[term.attribute]] for term in ordering.terms)

    def data(self, rows: Sequence[Any]) -> Any:
        return orjson.Fragment(f"[{','.join(row[0] for row in rows)}]")

    def subjects(self, rows: Collection[Any]) -> list[UUID]:
        place = self._places[str(self.plan.subject)]
        return sorted({row[place] for row in rows})
