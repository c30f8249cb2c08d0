"""Taking months out of their tables, putting them away in files, and putting them back.

All of it is for the owner of the tables: the application's role may not. A month is taken out first, which takes a
moment, and put away afterwards, while nobody else can write to it; whoever is killed in between leaves a table that
stands alone, and the next run goes on with it. `DETACH … CONCURRENTLY` is not for tables with a default partition, and
each of these has one: so whoever uses the table waits for that moment, and we wait for them no longer than two seconds.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from core.cache.tags import moved_by
from core.db.locks import hold_named, lock_patience
from core.partitions.archives import (
    Archive,
    DamagedArchiveError,
    read_page,
    read_rows,
    write_page,
    write_rows,
)
from core.partitions.declarations import KeptError, Monthly, declared
from core.partitions.making import LOCKS, PATIENCE_MS, ask
from core.partitions.months import later, month_of, name_of, read_month
from core.partitions.standing import standings

_OWNS = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = {table}::regclass"
_STATE = """
    SELECT inhparent IS NOT NULL FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid
    WHERE relname = {part} AND relnamespace = 'public'::regnamespace
"""
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = {table}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
# As the triggers of a statement note them, of which none sees a table come or go.
_TOUCH = """
    INSERT INTO core_touch (commit, tags)
    VALUES (nullif(current_setting('campushub360.commit', true), '')::uuid, %s)
"""


class NotOwnerError(Exception):
    """The role that this runs as does not own the table, and so may not take months out or put them back."""


def archive_old(*, at: datetime, table: str | None = None, before: date | None = None) -> Iterator[Archive]:
    """Take out and put away, or drop, the months that have had their time; yield each that was put away.

    A month has, when it is older than its table keeps, or than `before`; the present one never has. Raises
    `NotOwnerError` and `LockTimeoutError`, and at the end `KeptError` of those months that may not leave.
    """
    refusals: list[str] = []
    present = month_of(at.date())
    known = {standing.table: standing for standing in standings(ask, at=at)}
    for monthly in declared(table):
        oldest = before or (None if monthly.months_kept is None else later(present, -monthly.months_kept))
        months = {*known[monthly.table].months, *known[monthly.table].detached}
        for month in sorted(each for each in months if oldest is not None and each < min(oldest, present)):
            try:
                archive = archive_month(monthly, month, at=at)
            except KeptError as kept:
                refusals.append(str(kept))
                continue
            if archive is not None:
                yield archive
    if refusals:
        raise KeptError("\n".join(refusals))


def archive_month(monthly: Monthly, month: date, *, at: datetime) -> Archive | None:
    """Take one month out and put it away; None if it is dropped instead, or gone already.

    Raises `KeptError`, `NotOwnerError`, and `LockTimeoutError` while others use the table.
    """
    monthly.require_free(month)
    _require_owner(monthly.table)
    _detach(monthly, month)
    return _put_away(monthly, month, at)


@transaction.atomic
def _detach(monthly: Monthly, month: date) -> None:
    part = name_of(monthly.table, month)
    hold_named(LOCKS, monthly.table)
    with lock_patience(PATIENCE_MS):
        if ask(sql.SQL(_STATE).format(part=sql.Literal(part))) == [(True,)]:
            _run(
                sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(
                    sql.Identifier(monthly.table), sql.Identifier(part)
                )
            )
            _touch(monthly)


@transaction.atomic
def _put_away(monthly: Monthly, month: date, at: datetime) -> Archive | None:
    part = name_of(monthly.table, month)
    hold_named(LOCKS, monthly.table)
    if ask(sql.SQL(_STATE).format(part=sql.Literal(part))) != [(False,)]:
        return None
    with lock_patience(PATIENCE_MS):
        _run(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(part)))
    archive = _write(monthly, part, month, at) if monthly.expiry == "archive" else None
    _run(sql.SQL("DROP TABLE {}").format(sql.Identifier(part)))
    return archive


def _write(monthly: Monthly, part: str, month: date, at: datetime) -> Archive:
    """Write the rows of a table that stands alone, and read them again before anybody relies on them."""
    folder = Path(settings.ARCHIVE_ROOT)
    columns = _columns(part)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(part)))
        (rows,) = cursor.fetchone()
        with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(_with_columns(part, columns))) as copied:
            name, digest = write_rows(folder, part, copied)
    archive = Archive(
        table=monthly.table,
        month=f"{month:%Y-%m}",
        columns=columns,
        rows=rows,
        sha256=digest,
        file=name,
        archived_at=at.astimezone(UTC).isoformat(timespec="seconds"),
    )
    for _ in read_rows(folder, archive):
        pass
    write_page(folder, archive)
    return archive


@transaction.atomic
def restore(page: Path) -> Archive:
    """Put a month back, with the rows of it that came meanwhile; return what the page describes.

    The files stay. Raises `UnknownTableError`, `NotOwnerError`, and `DamagedArchiveError` when the rows are others than
    the page says, the table lacks one of their columns, or the month is there.
    """
    archive = read_page(page)
    (monthly,) = declared(archive.table)
    month = read_month(archive.month)
    part = name_of(monthly.table, month)
    _require_owner(monthly.table)
    hold_named(LOCKS, monthly.table)
    if ask(sql.SQL(_STATE).format(part=sql.Literal(part))):
        raise DamagedArchiveError(f"{part} is there: what is in the database counts")
    if gone := sorted(set(archive.columns) - set(_columns(monthly.table))):
        raise DamagedArchiveError(f"{monthly.table} has no column {', '.join(gone)} any more")
    whole, first = sql.Literal(monthly.table), sql.Literal(month)
    _run(sql.SQL("SELECT core_open_month({}::regclass, {})").format(whole, first))
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_with_columns(part, archive.columns))) as copying:
            for block in read_rows(page.parent, archive):
                copying.write(block)
        if cursor.rowcount != archive.rows:
            raise DamagedArchiveError(f"{archive.file} has {cursor.rowcount} of {archive.rows} rows")
    with lock_patience(PATIENCE_MS):
        _run(sql.SQL("SELECT core_attach_month({}::regclass, {})").format(whole, first))
    _touch(monthly)
    return archive


def _require_owner(table: str) -> None:
    if ask(sql.SQL(_OWNS).format(table=sql.Literal(table))) != [(True,)]:
        raise NotOwnerError(f"{table} belongs to another role: connect as the one that migrates")


def _columns(table: str) -> list[str]:
    return [str(name) for (name,) in ask(sql.SQL(_COLUMNS).format(table=sql.Literal(table)))]


def _with_columns(table: str, columns: list[str]) -> sql.Composed:
    return sql.SQL("{} ({})").format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))


def _touch(monthly: Monthly) -> None:
    """Let nothing that was remembered of the table be used any more."""
    tags = [name for tag, by in moved_by(monthly.model).items() for name in (tag, *([f"{tag}:*"] if by else []))]
    if tags:
        with connection.cursor() as cursor:
            cursor.execute(_TOUCH, [tags])


def _run(statement: sql.Composed) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
