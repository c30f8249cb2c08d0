"""Rows on their way into tables: deterministic keys, and COPY instead of INSERT.

Demo data is written by the composition root for every app at once, because 500,000 rows through
the services would take an hour. Constraints and triggers check each row all the same.
"""

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from itertools import chain, islice
from types import NoneType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

Row = dict[str, Any]

# What a field does nothing to, by its very class: what inherits from one may do something.
AS_THEY_ARE: dict[type, tuple[type, ...]] = {
    models.UUIDField: (uuid.UUID, NoneType),
    models.CharField: (str, NoneType),
    models.TextField: (str, NoneType),
    models.BooleanField: (bool, NoneType),
    models.DateField: (date, NoneType),
    models.TimeField: (time, NoneType),
    models.IntegerField: (int, NoneType),
    models.SmallIntegerField: (int, NoneType),
    models.PositiveIntegerField: (int, NoneType),
    models.PositiveSmallIntegerField: (int, NoneType),
}
# So many lines are sent at a time.
BLOCK = 2_000


class Keys:
    """Makes version 7 UUIDs that depend on the seed alone and keep the order in which they were made."""

    def __init__(self, seed: int, moment: datetime) -> None:
        self._random = random.Random(f"keys:{seed}")  # noqa: S311 - demo data needs repetition, not secrecy
        self._milliseconds = int(moment.timestamp() * 1000)
        self._made = 0

    def next(self) -> uuid.UUID:
        self._made += 1
        milliseconds = self._milliseconds + self._made // 4096
        sequence = self._made % 4096
        tail = self._random.getrandbits(62)
        return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | sequence << 64 | 0b10 << 62 | tail)

    def hex_at(self, milliseconds: int) -> str:
        """Return the digits of a key that was made at a moment, in milliseconds of the epoch."""
        self._made += 1
        tail = self._random.getrandbits(62)
        return f"{milliseconds << 80 | 0x7 << 76 | (self._made % 4096) << 64 | 0b10 << 62 | tail:032x}"


def copy(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows, each a mapping of the same columns, and return how many there were.

    A column that the rows leave out gets the field's default, or the database's.
    """
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return 0
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    if unknown := first.keys() - {field.attname for field in fields}:
        raise ValueError(f"{model.__name__} has no column {sorted(unknown)}")
    fields = [field for field in fields if field.attname in first or field.db_default is models.NOT_PROVIDED]
    defaults = {field.attname: field.get_default() for field in fields if field.attname not in first}
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN") as target,
    ):
        prepare = [(field.attname, taken_as_they_are(field), field.get_db_prep_save) for field in fields]
        real = connections[DEFAULT_DB_ALIAS]  # the proxy would be asked anew for each value
        for row in chain([first], iterator):
            values = {**defaults, **row}
            target.write_row([
                value if type(value := values[name]) in kinds else prepared(value, real)
                for name, kinds, prepared in prepare
            ])  # fmt: skip
            count += 1
    return count


def taken_as_they_are(field: "models.Field[Any, Any]") -> tuple[type, ...]:
    """Return the types of values that the field would hand on unchanged, which takes it most of the time there is."""
    if isinstance(field, models.ForeignKey) and type(field.target_field) is models.UUIDField:
        return AS_THEY_ARE[models.UUIDField]
    return AS_THEY_ARE.get(type(field), ())


def copy_lines(model: type[models.Model], columns: Sequence[str], lines: Iterable[str]) -> int:
    """Insert rows that are lines of COPY's text format, and return how many there were.

    The quickest way for millions of rows: no value passes a field.
    """
    iterator = iter(lines)
    first = next(iterator, None)
    if first is None:
        return 0
    quote = connection.ops.quote_name
    named = ", ".join(map(quote, columns))
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(model._meta.db_table)} ({named}) FROM STDIN") as target,
    ):
        target.write(first)
        count = 1
        while block := list(islice(iterator, BLOCK)):
            target.write("".join(block))
            count += len(block)
    return count
