"""What the apps say of their tables that are kept by month."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db.models import Model


class UnknownTableError(Exception):
    """No app has declared that it keeps this table by month."""


class KeptError(Exception):
    """Whoever answers for the rows says that they may not leave the database, and why."""


@dataclass(frozen=True, kw_only=True)
class Monthly:
    """A table kept by month: how many months are made ahead, and what becomes of those that have had their time.

    `months_kept` counts whole months before the present one; None keeps them all. `refuses` says why a month may not
    leave, be it old or asked for by name: a seal that is verified over its rows, a legal hold on somebody in them.
    Where `column`, the one that says in which month a row lies, is a part of the table's key, the rows of a list are
    found by both, in the months that they lie in and no other.
    """

    model: type[Model]
    months_ahead: int = 3
    months_kept: int | None = None
    expiry: Literal["archive", "drop"] = "archive"
    refuses: Callable[[date], str] = lambda month: ""
    column: str | None = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def require_free(self, month: date) -> None:
        """Raise `KeptError` if a month may not leave."""
        if reason := self.refuses(month):
            raise KeptError(f"{month:%Y-%m} of {self.table} stays: {reason}")


_declared: dict[str, Monthly] = {}


def key_of(model: type[Model]) -> tuple[str, ...]:
    """Return the columns by which the database finds a row without looking everywhere."""
    table = _declared.get(model._meta.db_table)
    return ("pk",) if table is None or table.column is None else ("pk", table.column)


def declare(*tables: Monthly) -> None:
    """Say what becomes of the months of some tables; when an app is ready."""
    _declared.update({each.table: each for each in tables})


def declared(table: str | None = None) -> list[Monthly]:
    """Return every table kept by month, or the one of this name; raise `UnknownTableError` if there is none."""
    if table is None:
        return [_declared[name] for name in sorted(_declared)]
    if table not in _declared:
        raise UnknownTableError(f"{table} is not kept by month; these are: {', '.join(sorted(_declared))}")
    return [_declared[table]]
