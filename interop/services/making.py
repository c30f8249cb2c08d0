"""Making the tables that were asked for, which is a worker's part.

Some tables are made at a time, so that workers are left for everything else; the others wait until one of these ends. A
table is read some rows at a time and written as it is read, so that one of any length takes as much memory as a short
one. A worker says every few seconds how far it has come, and so finds out that the table was deleted, or that somebody
else has begun anew: a file is never gone on with, but begun again by whoever comes after one that died.
"""

import errno
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, OperationalError, transaction
from django.utils import timezone
from psycopg import errors

from audit.services import record
from core import crud, tables
from core.errors import DomainError, InvalidError
from core.exports import MOST, XLSX, Line, Table, require_length
from core.models import PreparedState
from core.prepared import name_of
from core.provenance import acting_as
from core.recording import recorder
from core.visibility import Actor
from core.workbooks import workbook
from interop.models import ExportJob
from interop.services.exporting import (
    ROUTE,
    SHELF,
    SILENCE,
    hold_beginnings,
    is_room,
    reach_of,
    require_permitted,
    table_of,
    wake_next,
)
from interop.services.states import account_now

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
# How often a worker says how far it has come.
SECONDS_BETWEEN = 2.0
# What says that a disk has no space.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Well below the time limit of a task.
SECONDS = 720.0


class TooSlowError(InvalidError):
    """The table takes longer than a task may."""

    code = "export_took_too_long"
    title = "Making the table took too long; ask for fewer rows."


class InterruptedTooOftenError(InvalidError):
    """No worker came to the end of the table."""

    code = "export_interrupted"
    title = "Making the table was interrupted too often."


class MakingFailedError(InvalidError):
    """Making the table again would come to the same end."""

    code = "export_failed"
    title = "The table could not be made: a statement took too long, or no space was left; ask for fewer rows."


class OvertakenError(Exception):
    """Somebody else makes the table by now, or nobody wants it any more."""


@dataclass
class _Run:
    """One try to make a table."""

    job: ExportJob
    table: Table[Any]
    by: Any
    run_id: UUID
    until: float
    rows: int = 0
    next_at: float = 0

    def say(self, **facts: Any) -> None:
        """Tell how far the run has come; raise `OvertakenError` when it is nobody's business any more."""
        rows = ExportJob.objects.filter(pk=self.job.pk, run_id=self.run_id, state=PreparedState.REQUESTED)
        if not rows.update(rows=self.rows, **facts):
            raise OvertakenError
        if time.monotonic() >= self.until:
            raise TooSlowError

    def counted(self, batches: Iterable[Sequence[Line]]) -> Iterator[Line]:
        """Yield the lines of batches, of which the first is the header, and say every now and then how many they were.

        That is done where nothing is found as well: a run that finds nothing may be too slow, or too late, too.
        """
        number = count()
        for batch in batches:
            for line in batch:
                yield line
                self.rows = next(number)
                self._say_in_time()
            if not batch:
                self._say_in_time()

    def _say_in_time(self) -> None:
        if time.monotonic() >= self.next_at:
            # Rows that came meanwhile may be too many.
            require_length(self.rows, written_as=self.job.format)
            self.say()
            self.next_at = time.monotonic() + SECONDS_BETWEEN


def make_export(export_id: UUID, *, at: datetime, seconds: float = SECONDS) -> ExportJob | None:
    """Make a table that was asked for; None when there is nothing to do any more. What stands in the way is noted.

    What is raised all the same leaves the table to whoever comes next.
    """
    until, run_id = time.monotonic() + seconds, uuid4()
    job = _begin(export_id, run_id, at)
    if job is None:
        return None
    try:
        with acting_as(job.requested_by_id):
            return _tried(job, run_id, until)
    except Exception:
        with suppress(Error):  # without a database `tend_exports` finds it silent
            SHELF.release(export_id, run_id)
        raise
    finally:
        with suppress(Error):
            wake_next(beside=export_id)


def _tried(job: ExportJob, run_id: UUID, until: float) -> ExportJob | None:
    try:
        table = table_of(job.kind)
        by: Any = account_now(job.requested_by_id)
        require_permitted(table, by)
        return _made(_Run(job, table, by, run_id, until))
    except DomainError as refused:
        code = refused.violations[0].error_code
        logger.info("export.refused", extra={"export_id": str(job.pk), "code": code})
        return SHELF.fail(job.pk, run_id, code)
    except OvertakenError:
        return None
    except (OperationalError, OSError) as fault:
        if not _is_final(fault):
            raise
        logger.exception("export.failed", extra={"export_id": str(job.pk)})
        return SHELF.fail(job.pk, run_id, MakingFailedError.code)


def _is_final(fault: Exception) -> bool:
    """Say whether a statement took too long or a disk is full, which the next try would find as well."""
    if isinstance(fault, OSError):
        return fault.errno in FULL
    return isinstance(fault.__cause__, errors.QueryCanceled | errors.DiskFull)


@transaction.atomic
def _begin(export_id: UUID, run_id: UUID, at: datetime) -> ExportJob | None:
    """Begin with a table, unless somebody is at it who was heard of lately, or as many are made as may be at a time."""
    hold_beginnings()
    job = SHELF.locked(export_id)
    if job is None or (job.run_id is not None and job.updated_at > at - SILENCE) or not is_room(beside=job.pk, at=at):
        return None
    job = SHELF.begin(export_id, run_id)
    if job is not None and job.attempts >= MOST_ATTEMPTS:
        SHELF.fail(export_id, run_id, InterruptedTooOftenError.code)
        return None
    facts = {"started_at": at, "rows": 0, "rows_total": None}
    return job and crud.update(job, {**facts, "attempts": job.attempts + 1})


def _made(run: _Run) -> ExportJob | None:
    """Write the file of a run and let it be the table's."""
    job, table = run.job, run.table
    asked, rows = table.read(job.filters), table.rows(run.by, job.filters)
    total = table.size(rows, most=MOST)
    require_length(total, written_as=job.format)
    run.say(rows_total=total)
    reach, people = reach_of(table, run.by), set(table.people(rows))
    run.next_at = time.monotonic() + SECONDS_BETWEEN
    lines = run.counted(table.batches(rows, asked))
    with SHELF.writing(job, run.run_id) as stored:
        for piece in workbook(lines) if job.format == XLSX else _encoded(lines):
            stored.write(piece)
        run.say()
        # Whoever came to be in it while it was written is shown as well.
        people.update(table.people(rows))
    facts = {"stored_name": name_of(job, run.run_id), "sha256": stored.sha256, "size": stored.size, "reach": reach}
    return _finish(run, {**facts, "rows": run.rows}, sorted(people) if run.rows else [])


@transaction.atomic
def _finish(run: _Run, facts: dict[str, Any], people: list[UUID]) -> ExportJob | None:
    """Let a file be fetched, once it is on record whom it shows."""
    done = SHELF.finish(run.job.pk, run.run_id, facts, at=timezone.now(), kept=settings.EXPORTS_KEPT)
    if done is None:
        return None
    by: Actor = run.by
    if people:
        recorder().disclosed(
            what=run.table.discloses.what, subjects=people, to=by, permission=run.table.permission,
            route=f"{ROUTE}{run.job.kind}",
        )  # fmt: skip
    record(action="export.made", actor=by, subject=done, detail={"rows": done.rows, "size": done.size})
    return done


def _encoded(lines: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    return (text.encode() for text in tables.document(lines))
