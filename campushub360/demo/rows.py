"""Rows on their way into tables: deterministic keys, and COPY instead of INSERT.

Demo data is written by the composition root for every app at once, because 500,000 rows through
the services would take an hour. Constraints and triggers check each row all the same.
"""

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from django.db import connection, models

Row = dict[str, Any]

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
        for row in chain([first], iterator):
            values = {**defaults, **row}
            target.write_row([field.get_db_prep_save(values[field.attname], connection) for field in fields])
            count += 1
    return count


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
