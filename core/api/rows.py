"""The rows of a page: read and rendered by PostgreSQL, or by the serializer where that is beyond it.

Either is handed the keys of the rows that a page consists of, so that nothing else is read or rendered, and answers
the same bytes.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self
from uuid import UUID

import orjson
from django.core.exceptions import EmptyResultSet
from django.db.models import Model, QuerySet

from core.api.compiled.columns import NotCompiledError
from core.api.compiled.plans import KEYS, Plan, Settled, Statement, condition, plan_for, settle
from core.api.keyset import Cursor, Keyset
from core.masks import masks_of
from core.partitions import key_of
from core.recording import Disclosure


@dataclass(frozen=True)
class Keys:
    """The keys of the rows of a page, as a queryset that is made when it is needed.

    Where nothing narrows the rows of a table, a page of them is known by its `shape`, and its statement has no other
    parameters than the key that it begins after.
    """

    chosen: Callable[[], QuerySet[Any]]
    using: str
    shape: Hashable = None
    key: tuple[Any, ...] = ()

    @classmethod
    def after(cls, queryset: QuerySet[Any], ordering: Keyset, cursor: Cursor | None, limit: int) -> Self:
        """Choose up to `limit` rows from the cursor's place on."""
        query: Any = queryset.query
        narrowed = query.where or query.annotations or query.is_sliced or query.combinator or query.distinct
        key = () if cursor is None else cursor.key
        place = cursor and (cursor.backwards, cursor.inclusive, tuple(value is None for value in key))
        shape = None if narrowed else (queryset.model, tuple(ordering.names), place, limit)
        columns = key_of(queryset.model)
        return cls(lambda: ordering.window(queryset, cursor, limit).values(*columns), queryset.db, shape, key)

    def statement(self) -> Statement:
        """Return the statement that chooses them; raise `EmptyResultSet` if there can be none."""
        known = _statements.get((self.using, self.shape)) if self.shape is not None else None
        if known is not None:
            return known, self.key
        sql, parameters = self.chosen().query.get_compiler(self.using).as_sql()
        if self.shape is not None and tuple(parameters) == self.key:
            if len(_statements) >= MOST_STATEMENTS:
                _statements.clear()
            _statements[self.using, self.shape] = sql
        return sql, parameters


# By where it is run and its shape: the statement that chooses the keys of a page.
_statements: dict[Hashable, str] = {}
MOST_STATEMENTS = 500


class Rows(Protocol):
    """How a list reads its rows and shows them."""

    def fetch(self, ordering: Keyset, keys: Keys) -> list[Any]:
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
        return RenderedRows(view.queryset.model, view.actor, view.discloses, plan_for(view))
    except NotCompiledError:
        return LoadedRows(view)


class LoadedRows:
    """Rows as instances of their model, shown by the reader."""

    def __init__(self, view: Any) -> None:
        self.view = view

    def fetch(self, ordering: Keyset, keys: Keys) -> list[Any]:
        chosen = keys.chosen().values("pk")
        return list(ordering.ordered(self.view.loaded(self.view.queryset.all()).filter(pk__in=chosen)))

    def key(self, ordering: Keyset, row: Any) -> tuple[Any, ...]:
        return ordering.key(row)

    def data(self, rows: Sequence[Any]) -> Any:
        return self.view.shown(rows, many=True)

    def subjects(self, rows: Collection[Any]) -> list[UUID]:
        found: list[UUID] = self.view.discloses.subjects(rows)
        return found


class RenderedRows:
    """Rows as the JSON that PostgreSQL made of them."""

    def __init__(self, model: type[Model], actor: Any, discloses: Disclosure | None, plan: Plan) -> None:
        self.model = model
        # The statement that was run; it finds the page as it is whenever it is run again.
        self.settled: Settled | None = None
        self._actor = actor
        self._discloses = discloses
        self._plan = plan
        self._places: dict[str, int] = {}

    def fetch(self, ordering: Keyset, keys: Keys) -> list[Any]:
        using = keys.using
        fill: dict[str, Any] = {KEYS: keys.statement}
        for mask in masks_of(self.model):
            fill[mask.attribute] = partial(condition, mask, self._actor, using)
        self._places = {name: place for place, name in enumerate(self._plan.columns(ordering))}
        try:
            self.settled = settle(self._plan.statement(ordering, using), fill, compared=keys.shape is not None)
        except EmptyResultSet:
            return []
        return self.settled.rows(using)

    def found_again(self, using: str) -> list[Any]:
        """Read the rows once more, as they are now."""
        if self.settled is None:
            raise TypeError("nothing was found by a statement")
        return self.settled.rows(using)

    def key(self, ordering: Keyset, row: Any) -> tuple[Any, ...]:
        return tuple(row[self._places[term.attribute]] for term in ordering.terms)

    def data(self, rows: Sequence[Any]) -> Any:
        return orjson.Fragment(f"[{','.join(row[0] for row in rows)}]")

    def subjects(self, rows: Collection[Any]) -> list[UUID]:
        place = self._places[str(self._plan.subject)]
        return [] if self._discloses is None else self._discloses.people(row[place] for row in rows)
