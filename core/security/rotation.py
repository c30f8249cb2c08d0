"""Changing encryption keys while everything runs.

A key is retired by putting another in front of it in `ENCRYPTION_KEYS`, encrypting anew what still stands under the
old one, and taking the old one out when no row needs it. The work goes through each encrypted column in the order of
primary keys, some rows at a time. Each batch is one statement that replaces the very ciphertexts that were read: a row
changed meanwhile is left to the next round, a row locked by somebody is not waited for. What was done stays done, so
work that was interrupted is simply begun again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from psycopg import sql

from core.security.encryption import VERSION, DecryptionError, decrypt, encrypt, header_of
from core.security.fields import EncryptedTextField, context_of

# What is no ciphertext, counted under a name that no key can have.
UNREADABLE = "(unreadable)"

Progress = Callable[[int], None]


@dataclass(frozen=True)
class EncryptedColumn:
    """A column that holds ciphertexts, each bound to its table, column and row by `context_of`."""

    model: type[models.Model]
    name: str

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def names(self) -> dict[str, sql.Composable]:
        """The names that statements about the column are made of."""
        key = self.model._meta.pk
        return {
            "table": sql.Identifier(self.table),
            "column": sql.Identifier(self.name),
            "key": sql.Identifier(str(key.column)),
            "key_type": sql.SQL(str(key.db_type(connection))),
        }

    def exists(self) -> bool:
        """Say whether the database has the column yet."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped",
                [self.table, self.name],
            )
            return cursor.fetchone() is not None


@dataclass
class Outcome:
    """What one round through a column came to: rows encrypted anew, and rows that no key of the ring opens."""

    rewritten: int = 0
    unreadable: int = 0


def encrypted_columns() -> list[EncryptedColumn]:
    """Return every column of ciphertexts: encrypted fields, and what models name in `encrypted_columns`."""
    return [
        EncryptedColumn(model, name)
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy
        for name in [
            *(
                str(field.column)
                for field in model._meta.local_concrete_fields
                if isinstance(field, EncryptedTextField)
            ),
            *getattr(model, "encrypted_columns", ()),
        ]
    ]


def rows_by_key(column: EncryptedColumn) -> dict[str, int]:
    """Count the rows of each key id; what is no ciphertext counts as `UNREADABLE`."""
    statement = sql.SQL(
        """
        SELECT CASE WHEN length({column}) > 1 AND get_byte({column}, 0) = %s
               THEN substring({column} FROM 3 FOR get_byte({column}, 1)) END, count(*)
        FROM {table} WHERE {column} IS NOT NULL GROUP BY 1
        """
    ).format(**column.names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [VERSION])
        found = cursor.fetchall()
    counts: dict[str, int] = {}
    for key_id, rows in found:
        name = UNREADABLE if key_id is None else bytes(key_id).decode("ascii", "replace")
        counts[name] = counts.get(name, 0) + rows
    return counts


def removed_keys_in_use() -> dict[str, int]:
    """Count the rows under keys that the ring does not have: nobody can read them any more."""
    known = {key_id for key_id, _ in settings.ENCRYPTION_KEYS}
    lost: dict[str, int] = {}
    for column in encrypted_columns():
        for key_id, rows in rows_by_key(column).items() if column.exists() else ():
            if key_id not in known:
                lost[key_id] = lost.get(key_id, 0) + rows
    return lost


def reencrypt(column: EncryptedColumn, *, batch: int, progress: Progress = lambda rows: None) -> Outcome:
    """Go once through a column and encrypt with the first key what stands under another; `progress` hears of rows."""
    outcome = Outcome()
    for rows in _batches(column, batch):
        ids, old, new = [], [], []
        for row_id, ciphertext in rows:
            context = context_of(column.table, column.name, row_id)
            try:
                new.append(encrypt(decrypt(ciphertext, context=context), context=context))
            except DecryptionError:
                outcome.unreadable += 1
                continue
            ids.append(row_id)
            old.append(ciphertext)
        rewritten = _replace(column, ids, old, new) if ids else 0
        outcome.rewritten += rewritten
        progress(rewritten)
    return outcome


def _batches(column: EncryptedColumn, size: int) -> Iterator[Sequence[tuple[Any, bytes]]]:
    """Yield the rows under other keys than the first, in the order of primary keys, unlocked."""
    header = header_of(settings.ENCRYPTION_KEYS[0][0])
    statement = sql.SQL(
        """
        SELECT {key}, {column} FROM {table}
        WHERE {column} IS NOT NULL AND substring({column} FROM 1 FOR %(length)s) <> %(header)s
              AND (%(last)s::{key_type} IS NULL OR {key} > %(last)s::{key_type})
        ORDER BY {key} LIMIT %(size)s
        """
    ).format(**column.names)
    last = None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"length": len(header), "header": header, "last": last, "size": size})
            rows = [(row_id, bytes(ciphertext)) for row_id, ciphertext in cursor.fetchall()]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _replace(column: EncryptedColumn, ids: list[Any], old: list[bytes], new: list[bytes]) -> int:
    """Put new ciphertexts where exactly the old ones stand and nobody holds the row; return how many."""
    statement = sql.SQL(
        """
        WITH free AS (
            SELECT row.{key} AS key, pair.new
            FROM {table} AS row
            JOIN unnest(%s::{key_type}[], %s::bytea[], %s::bytea[]) AS pair (key, old, new)
              ON row.{key} = pair.key AND row.{column} = pair.old
            ORDER BY row.{key} FOR NO KEY UPDATE OF row SKIP LOCKED
        )
        UPDATE {table} AS target SET {column} = free.new FROM free WHERE target.{key} = free.key
        """
    ).format(**column.names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids, old, new])
        return int(cursor.rowcount)
