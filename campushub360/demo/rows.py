"""Rows on their way into tables: deterministic keys, and COPY instead of INSERT.

Demo data is written by the composition root for every app at once, because 500,000 rows through
the services would take an hour. Constraints and triggers check each row all the same.
"""

import random
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, models


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


def copy(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows, each a mapping of the same column names, and return how many there were."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return 0
    fields = {field.attname: field for field in model._meta.concrete_fields if field.attname in first}
    if unknown := first.keys() - fields.keys():
        raise ValueError(f"{model.__name__} has no column {sorted(unknown)}")
    quoted = ", ".join(connection.ops.quote_name(field.column) for field in fields.values())
    statement = f"COPY {connection.ops.quote_name(model._meta.db_table)} ({quoted}) FROM STDIN"
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        row: Mapping[str, Any] | None = first
        while row is not None:
            target.write_row([field.get_db_prep_save(row[name], connection) for name, field in fields.items()])
            count += 1
            row = next(iterator, None)
    return count
