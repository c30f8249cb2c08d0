"""Keyset paging: the page after a row is found by that row's key, not by counting from the start.

A page costs the same wherever it lies, and rows that come or go between two pages shift nothing:
every row that stays is seen once. The key of a row is its values in the ordering, which always
ends with the primary key, so no two rows share one. NULLs stand where PostgreSQL puts them by
default (last ascending, first descending), because that is how its indexes are built.

A cursor is such a key with a direction. It travels through the client, who can neither read nor
change it: lists are ordered by columns that not every reader is shown, such as a given name that
somebody is not called by. So it is encrypted, for the question that it belongs to and no other, and
padded, so that its length does not tell that of a name. The same place in the same question is the
same cursor, as the same page is the same bytes.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self, TypeVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)

from core.errors import InvalidError
from core.security.encryption import DecryptionError
from core.security.opaque import seal, unseal

ModelT = TypeVar("ModelT", bound=Model)

# What the key is derived for: count it on when the layout of cursors changes, and old ones are refused.
PURPOSE = "cursor:2"
# Bytes to whose multiples cursors are padded: most are shorter.
BLOCK = 128


class InvalidCursorError(InvalidError):
    """The cursor was not made here, or for another caller, ordering or filter."""

    code = "invalid_cursor"
    title = "The cursor does not belong to this list."
    field = "cursor"


@dataclass(frozen=True)
class Cursor:
    """A place in an ordering: beyond the row with this key, or with `inclusive` from it on."""

    key: tuple[Any, ...]
    backwards: bool = False
    inclusive: bool = False


@dataclass(frozen=True)
class Page:
    """The rows of a page, in the ordering, and the cursors of its neighbours."""

    rows: list[Any]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True)
class Term:
    """One column of an ordering: its ORM path, and the attribute of a row that holds its value."""

    path: str
    attribute: str
    descending: bool
    nullable: bool

    def reversed(self) -> Self:
        return replace(self, descending=not self.descending)

    def equal(self, value: Any) -> Q:
        return Q((f"{self.path}__isnull", True)) if value is None else Q((self.path, value))

    def beyond(self, value: Any) -> list[Q]:
        """Return what comes after `value`: conditions that exclude one another, each one range of an index."""
        if self.descending:
            return [Q((f"{self.path}__isnull", False)) if value is None else Q((f"{self.path}__lt", value))]
        if value is None:
            return []
        greater = Q((f"{self.path}__gt", value))
        return [greater, Q((f"{self.path}__isnull", True))] if self.nullable else [greater]


class Keyset:
    """An ordering in which every row has its own key."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)

    @classmethod
    def of(cls, queryset: QuerySet[Any]) -> Self:
        """Read the ordering of a queryset (or its model's) and complete it by the primary key."""
        terms: list[Term] = []
        for path, descending in map(_direction, queryset.query.order_by or queryset.model._meta.ordering or ()):
            term = _term(queryset, path, descending)
            if all(earlier.path != term.path for earlier in terms):
                terms.append(term)
        key = _term(queryset, "pk", descending=bool(terms) and terms[-1].descending)
        paths = [term.path for term in terms]
        # What would follow the primary key decides nothing.
        return cls(terms[: paths.index(key.path) + 1] if key.path in paths else [*terms, key])

    @property
    def names(self) -> list[str]:
        """Return the ordering as `order_by` takes it."""
        return [f"-{term.path}" if term.descending else term.path for term in self.terms]

    def reversed(self) -> "Keyset":
        return Keyset([term.reversed() for term in self.terms])

    def key(self, row: Any) -> tuple[Any, ...]:
        """Return the key of a row that `window` read."""
        return tuple(getattr(row, term.attribute) for term in self.terms)

    def ordered(self, queryset: QuerySet[ModelT]) -> QuerySet[ModelT]:
        """Order the rows, carrying with each what `key` reads."""
        far = {term.attribute: F(term.path) for term in self.terms if term.attribute != term.path}
        ordered: QuerySet[ModelT] = queryset.annotate(**far).order_by(*self.names)
        return ordered

    def window(self, queryset: QuerySet[ModelT], cursor: Cursor | None, limit: int) -> QuerySet[ModelT]:
        """Return up to `limit` rows from the cursor's place on; those before it come nearest first."""
        if cursor is None:
            return self.ordered(queryset)[:limit]
        keyset = self.reversed() if cursor.backwards else self
        conditions = keyset._after(cursor)
        if len(conditions) == 1:
            return keyset.ordered(queryset.filter(conditions[0]))[:limit]
        # One short index range for each condition instead of an OR, for which no index is read in order.
        first, *rest = (
            queryset.order_by(*keyset.names).filter(condition).values("pk")[:limit] for condition in conditions
        )
        return keyset.ordered(queryset.filter(pk__in=first.union(*rest, all=True)))[:limit]

    def _after(self, cursor: Cursor) -> list[Any]:
        """Return conditions that exclude one another and together hold for what the cursor is followed by."""
        directions = {term.descending for term in self.terms}
        # A comparison of rows is one range of an index, as long as all columns are of one table.
        if len(directions) == 1 and not any(term.nullable or LOOKUP_SEP in term.path for term in self.terms):
            lookup = _COMPARISONS[directions.pop(), cursor.inclusive]
            return [lookup(Tuple(*(F(term.path) for term in self.terms)), cursor.key)]
        conditions: list[Q] = []
        same = Q()
        for term, value in zip(self.terms, cursor.key, strict=True):
            conditions += [same & beyond for beyond in term.beyond(value)]
            same &= term.equal(value)
        return [*conditions, same] if cursor.inclusive else conditions

    def page(
        self,
        found: Sequence[Any],
        cursor: Cursor | None,
        size: int,
        key: Callable[[Any], tuple[Any, ...]] | None = None,
    ) -> Page:
        """Make a page of what `window` found with a limit of `size + 1`: the one more tells if there is another page.

        `key` tells the key of what is no instance of the model.

        The neighbour a caller came from is always offered, since rows may have appeared in it. A page
        that turns out empty offers the way back, including the row it was counted from.
        """
        backwards = cursor is not None and cursor.backwards
        key_of = key or self.key
        rows, has_more = list(found[:size]), len(found) > size
        if backwards:
            rows.reverse()
        if cursor is not None and not rows:
            back = Cursor(cursor.key, backwards=not backwards, inclusive=True)
            return Page([], back if backwards else None, None if backwards else back)
        return Page(
            rows,
            Cursor(key_of(rows[-1])) if backwards or has_more else None,
            Cursor(key_of(rows[0]), backwards=True) if (has_more if backwards else cursor is not None) else None,
        )


_COMPARISONS = {
    (False, False): TupleGreaterThan,
    (False, True): TupleGreaterThanOrEqual,
    (True, False): TupleLessThan,
    (True, True): TupleLessThanOrEqual,
}


def _direction(ordering: Any) -> tuple[str, bool]:
    """Return the path that an item of `order_by` names and whether it descends."""
    if isinstance(ordering, str):
        return ordering.removeprefix("-"), ordering.startswith("-")
    raise ImproperlyConfigured(f"Keyset paging orders by columns, not by {ordering!r}.")


def _term(queryset: QuerySet[Any], path: str, descending: bool) -> Term:
    """Resolve a path through foreign keys to the column it means."""
    if path in queryset.query.annotations:
        return Term(path, path, descending, nullable=True)
    model: Any = queryset.model
    fields: list[Any] = []
    for name in path.split(LOOKUP_SEP):
        if model is not None:
            fields.append(model._meta.pk if name == "pk" else model._meta.get_field(name))
        if model is None or not fields[-1].concrete or fields[-1].many_to_many:
            raise ImproperlyConfigured(f"{path} is no column of a row or of one that it refers to.")
        model = fields[-1].related_model
    nullable = any(field.null for field in fields)
    # A foreign key at the end stands for its column; its name alone would mean the other model's ordering.
    column = LOOKUP_SEP.join([*(field.name for field in fields[:-1]), fields[-1].attname])
    return Term(column, column.replace(LOOKUP_SEP, "_of_"), descending, nullable)


def dumps(cursor: Cursor, question: str) -> str:
    """Return the cursor as a URL-safe token that is valid for `question` alone, and tells nothing of its key."""
    flags = cursor.backwards + 2 * cursor.inclusive
    text = json.dumps([flags, *map(_pack, cursor.key)], ensure_ascii=False, separators=(",", ":")).encode()
    # JSON ends where it ends: what blanks follow mean nothing.
    return seal(text.ljust(-(-len(text) // BLOCK) * BLOCK), purpose=PURPOSE, context=question)


def loads(token: str, question: str) -> Cursor:
    """Return the cursor in a token; raise `InvalidCursorError` unless `dumps` made it for the same question."""
    try:
        text = unseal(token, purpose=PURPOSE, context=question)
    except DecryptionError:
        raise InvalidCursorError from None
    flags, *key = json.loads(text)
    return Cursor(tuple(map(_unpack, key)), backwards=bool(flags & 1), inclusive=bool(flags & 2))


# JSON has texts, whole numbers, truth and null; these are the other types that columns have.
_TYPES: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "t": (datetime, datetime.isoformat, datetime.fromisoformat),
    "d": (date, date.isoformat, date.fromisoformat),
    "h": (time, time.isoformat, time.fromisoformat),
    "s": (
        timedelta,
        lambda value: str(value // timedelta(microseconds=1)),
        lambda text: timedelta(microseconds=int(text)),
    ),
    "n": (Decimal, str, Decimal),
    "f": (float, repr, float),
    "u": (UUID, str, UUID),
}


def _pack(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    for tag, (kind, write, _) in _TYPES.items():
        if isinstance(value, kind):
            return {tag: write(value)}
    raise ImproperlyConfigured(f"A column of {type(value).__name__} cannot be part of a key.")


def _unpack(packed: Any) -> Any:
    if not isinstance(packed, dict):
        return packed
    ((tag, text),) = packed.items()
    return _TYPES[tag][2](text)
