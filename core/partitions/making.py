"""Making room for the rows to come, and for those that came before there was room."""

import logging
from datetime import date, datetime

from django.db import connection, transaction

from core.db.locks import hold_named, lock_patience
from core.partitions.declarations import Monthly, declared
from core.partitions.months import later, month_of, months_between, name_of
from core.partitions.standing import Asked, standings

logger = logging.getLogger(__name__)

LOCKS = "core.partitions"
# Whoever uses the default partition waits meanwhile, and so do those who come after us to it.
PATIENCE_MS = 2000
EARLIEST_MONTHS = 120


def make_months(*, at: datetime) -> int:
    """Make the months of every declared table that are missing, and return how many there were.

    Rows of the default partition move into their months, but for what is older than is kept, or than ten years. Each
    table is a transaction of its own; what still stands in the way afterwards is logged as an error. Raises
    `LockHeldError` where somebody else is at it, and `LockTimeoutError` where the table is too busy.
    """
    made = sum(_make(monthly, at) for monthly in declared())
    for standing in standings(ask, at=at):
        if standing.faults:
            logger.error("partitions.wanting", extra={"table": standing.table, "faults": standing.faults})
    return made


@transaction.atomic
def _make(monthly: Monthly, at: datetime) -> int:
    present = month_of(at.date())
    kept = EARLIEST_MONTHS if monthly.months_kept is None else monthly.months_kept
    hold_named(LOCKS, monthly.table)
    with lock_patience(PATIENCE_MS), connection.cursor() as cursor:
        cursor.execute(
            "SELECT core_make_months(%s, %s, %s)",
            [monthly.table, later(present, -kept), later(present, monthly.months_ahead)],
        )
        row = cursor.fetchone()
    return int(row[0])


@transaction.atomic
def open_months(table: str, *, first: date, last: date) -> int:
    """Make those months of a declared table, both ends included, that are missing, and return how many there were.

    For rows of the past that are about to be loaded: only the owner of the table may. Raises `UnknownTableError`, and
    `LockHeldError` and `LockTimeoutError` as `make_months` does.
    """
    (monthly,) = declared(table)
    hold_named(LOCKS, monthly.table)
    months = [later(month_of(first), number) for number in range(months_between(first, last) + 1)]
    missing = [month for month in months if not _is_there(name_of(monthly.table, month))]
    with lock_patience(PATIENCE_MS), connection.cursor() as cursor:
        for month in missing:
            cursor.execute("SELECT core_open_month(%s::regclass, %s)", [monthly.table, month])
            cursor.execute("SELECT core_attach_month(%s::regclass, %s)", [monthly.table, month])
    return len(missing)


def _is_there(part: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.' || quote_ident(%s)) IS NOT NULL", [part])
        return bool(cursor.fetchone()[0])


def ask(statement: Asked) -> list[tuple[object, ...]]:
    """Ask Django's own connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
