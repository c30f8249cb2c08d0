"""Making the tables that were asked for, which is a worker's part.

A table is read some rows at a time and written as it is read, so that one of any length takes as much memory as a short
one. A worker says every few seconds how far it has come, and so finds out that the table was deleted, or that somebody
else has begun anew: a file is never gone on with, but begun again by whoever comes after one that died.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.services import record
from core import crud, tables
from core.errors import DomainError, InvalidError
from core.exports import MOST, XLSX, Table, require_length
from core.models import PreparedState
from core.prepared import name_of
from core.provenance import acting_as
from core.recording import recorder
from core.visibility import Actor
from core.workbooks import workbook
from interop.models import ExportJob
from interop.services.exporting import SHELF, SILENCE, reach_of, require_permitted, table_of
from interop.services.states import account_now

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
# How often a worker says how far it has come.
SECONDS_BETWEEN = 2.0
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

    def say(self, **facts: Any) -> None:
        """Tell how far the run has come; raise `OvertakenError` when it is nobody's business any more."""
        rows = ExportJob.objects.filter(pk=self.job.pk, run_id=self.run_id, state=PreparedState.REQUESTED)
        if not rows.update(rows=self.rows, **facts):
            raise OvertakenError
        if time.monotonic() >= self.until:
            raise TooSlowError

    def counted(self, lines: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Yield lines, of which the first is the header, and say every now and then how many they were."""
        next_at = time.monotonic() + SECONDS_BETWEEN
        for number, line in enumerate(lines):
            yield line
            self.rows = number
            if time.monotonic() >= next_at:
                # Rows that came meanwhile may be too many.
                require_length(number, written_as=self.job.format)
                self.say()
                next_at = time.monotonic() + SECONDS_BETWEEN


def make_export(export_id: UUID, *, at: datetime, seconds: float = SECONDS) -> ExportJob | None:
    """Make a table that was asked for; None when there is nothing to do any more. What stands in the way is noted."""
    until, run_id = time.monotonic() + seconds, uuid4()
    job = _begin(export_id, run_id, at)
    if job is None:
        return None
    with acting_as(job.requested_by_id):
        try:
            table = table_of(job.kind)
            by: Any = account_now(job.requested_by_id)
            require_permitted(table, by)
            return _made(_Run(job, table, by, run_id, until))
        except DomainError as refused:
            logger.info("export.refused", extra={"export_id": str(export_id), "code": refused.violations[0].error_code})
            return SHELF.fail(export_id, run_id, refused.violations[0].error_code)
        except OvertakenError:
            return None


@transaction.atomic
def _begin(export_id: UUID, run_id: UUID, at: datetime) -> ExportJob | None:
    """Begin with a table, unless somebody is at it who was heard of lately."""
    job = SHELF.locked(export_id)
    if job is None or (job.run_id is not None and job.updated_at > at - SILENCE):
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
    lines = run.counted(table.lines(rows, asked))
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
            route=f"exports.{run.job.kind}",
        )  # fmt: skip
    record(action="export.made", actor=by, subject=done, detail={"rows": done.rows, "size": done.size})
    return done


def _encoded(lines: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    return (text.encode() for text in tables.document(lines))
