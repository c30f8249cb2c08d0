"""Waiting for locks, but not for ever."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from uuid import UUID

from django.db import OperationalError, connection, models
from django.db.models import Func, TextField, Value
from django.db.models.functions import Cast, Concat
from psycopg import errors


class LockTimeoutError(Exception):
    """Somebody else held a lock for longer than the block was willing to wait."""


class LockHeldError(Exception):
    """Another transaction holds the name."""


@contextmanager
def lock_patience(milliseconds: int) -> Generator[None]:
    """Let the statements of the block wait this long for a lock; raise `LockTimeoutError` if one takes longer.

    Only inside a transaction, which such a timeout ends. The former patience is restored, for this
    transaction alone, so that nothing leaks into a pooled session.
    """
    former = _set_lock_timeout(f"{milliseconds}ms")
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable):
            raise LockTimeoutError from error
        raise
    _set_lock_timeout(former)


def lock_named(namespace: str, name: str) -> None:
    """Wait until no other transaction holds this name, and hold it until the end of this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{namespace}:{name}"])


def lock_all_named(namespace: str, names: Iterable[str]) -> None:
    """Hold each of these names as `lock_named` does, one after the other in their order, in one statement."""
    ordered = [f"{namespace}:{name}" for name in sorted(set(names))]
    if ordered:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) name", [ordered]
            )


def named_lock_shared(namespace: str, column: str) -> Func:
    """Return an expression that waits until nobody has the name locked and shares it until the transaction ends.

    The name is what `column` holds, as text, in each row that a query returns; `lock_named` excludes
    all who share it. What the lock guards is read by a later statement than the one that takes it.
    """
    name = Concat(Value(f"{namespace}:"), Cast(column, TextField()))
    key = Func(name, Value(0), function="hashtextextended")
    return Func(key, function="pg_advisory_xact_lock_shared", output_field=TextField())


def hold_named(namespace: str, name: str) -> None:
    """Hold this name until the end of this transaction; raise `LockHeldError` at once if another one holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{namespace}:{name}"])
        row = cursor.fetchone()
    if not row[0]:
        raise LockHeldError


def keep_rows(model: type[models.Model], ids: Iterable[UUID]) -> set[UUID]:
    """Let nobody delete these rows before this transaction ends; return the ids of those that are there.

    What a foreign key does for the row it names: changes of the row go on meanwhile.
    """
    return _lock_rows(model, ids, "KEY SHARE")


def share_rows(model: type[models.Model], ids: Iterable[UUID]) -> set[UUID]:
    """Let nobody change these rows before this transaction ends; return the ids of those that are there.

    Any number of transactions share a row; `select_for_update` excludes all of them. What the lock guards is read by a
    later statement than the one that takes it.
    """
    return _lock_rows(model, ids, "SHARE")


def _lock_rows(model: type[models.Model], ids: Iterable[UUID], strength: str) -> set[UUID]:
    table, key = (connection.ops.quote_name(name) for name in (model._meta.db_table, str(model._meta.pk.column)))
    with connection.cursor() as cursor:
        # The names come from the model, and the strength from above.
        cursor.execute(
            f"SELECT {key} FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} FOR {strength}",  # noqa: S608 # nosec B608
            [list(ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def _set_lock_timeout(value: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [value])
        row = cursor.fetchone()
    return str(row[0])
