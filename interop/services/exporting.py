"""Asking for a table, and taking it away or back.

Which tables there are the apps declare (`core.exports`); that a worker makes them is the business of
`interop.services.making`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.assignments import scopes_of
from audit.services import record
from core import crud
from core.db.locks import lock_named
from core.db.purging import purge
from core.errors import ConflictError, DomainError, ForbiddenError, MissingError, OutOfScopeError, raise_all
from core.events import publish
from core.exports import CSV, Table, tables
from core.models import PreparedState
from core.prepared import Shelf
from core.visibility import Actor
from interop.events import ExportRequested
from interop.models import OPEN, ExportJob

SHELF = Shelf(ExportJob, "export", folder="tables")

# Of one account: so many tables that are yet to be made, and so many that are that or wait to be fetched.
MOST_TO_COME = 3
MOST_AT_ONCE = 20
# A worker says more often than this how far it has come; one that does not has died.
SILENCE = timedelta(minutes=5)
# How the record of disclosures calls tables of a kind, before its name.
ROUTE = "exports."


class TooManyExportsError(ConflictError):
    """An account has as many tables as it may have at a time."""

    code = "too_many_exports"
    title = f"{MOST_TO_COME} exports are made for you at a time, and {MOST_AT_ONCE} are kept; wait, or delete some."


def table_of(kind: str) -> Table[Any]:
    """Return the table of a name; raise `MissingError` when no app has it."""
    found = tables().get(kind)
    if found is None:
        raise MissingError("There is no such table.", field="kind")
    return found


def require_permitted(table: Table[Any], by: Actor) -> None:
    """Refuse whoever may not read the rows of a table at all."""
    if not by.has_perm(table.permission):
        raise ForbiddenError("The rows of this table are not yours to read.", field="kind")


def reach_of(table: Table[Any], by: Actor) -> dict[str, Any]:
    """Return within which scopes somebody may read the rows of a table, as JSON has it."""
    scopes = asdict(scopes_of(by, table.permission))
    return {name: sorted(map(str, held)) if isinstance(held, frozenset) else held for name, held in scopes.items()}


@transaction.atomic
def request_export(*, by: Any, kind: str, format: str = CSV, filters: Mapping[str, str] | None = None) -> ExportJob:  # noqa: A002 - the field's name
    """Ask for a table; a worker makes it, with what whoever asked is permitted and shown by then.

    Refused with `permission_denied`, with what is wrong with the filters, and with `too_many_exports`.
    """
    table, given = table_of(kind), dict(filters or {})
    require_permitted(table, by)
    try:
        table.read(given)
    except DomainError as refused:
        raise_all([each.under("filters") for each in refused.violations])
    lock_named("interop.exports", str(by.pk))
    _require_room(by)
    job = crud.create(ExportJob, {"kind": kind, "format": format, "filters": given, "requested_by": by})
    record(action="export.requested", actor=by, subject=job, detail={"kind": kind, "format": format})
    publish(ExportRequested(export_id=job.pk))
    return job


@transaction.atomic
def open_export(job: ExportJob, *, by: Actor, at: datetime) -> Iterator[bytes]:
    """Hand out the file to whoever asked for it, put that on record, and return its content in pieces.

    Refused as `require_fetchable` does, and with `ExportUnavailableError` when it cannot be opened any more.
    """
    require_fetchable(job, by=by, at=at)
    content = SHELF.hand_out(job, at=at)
    record(action="export.handed_out", actor=by, subject=job, detail={"kind": job.kind, "rows": job.rows})
    return content


def require_fetchable(job: ExportJob, *, by: Actor, at: datetime) -> None:
    """Refuse whoever may not fetch a file, or not now.

    Raises `ExportUnavailableError` while there is none, or no more; `ForbiddenError` when the permission was lost since
    the table was made, and `OutOfScopeError` when it is held in fewer places now: the file may show what is elsewhere.
    """
    if job.requested_by_id != by.pk:
        raise OutOfScopeError
    table = table_of(job.kind)
    require_permitted(table, by)
    if not _covers(reach_of(table, by), job.reach):
        raise OutOfScopeError("You may see less by now than when this was made; ask for another one.")
    SHELF.require_ready(job, at=at)


@transaction.atomic
def delete_export(job: ExportJob, *, by: Actor | None) -> None:
    """Forget a table and its file; a worker that is at it finds so and stops."""
    record(action="export.deleted", actor=by, subject=job, detail={"kind": job.kind, "state": job.state})
    SHELF.discard(job)
    crud.delete(job)


def hold_beginnings() -> None:
    """Let no worker begin with a table until this transaction is over; wait for those that are beginning."""
    lock_named("interop.exports", "beginnings")


def is_room(*, beside: UUID, at: datetime) -> bool:
    """Say whether a table may be begun with beside those that workers are at, of whom each was heard of lately."""
    made = ExportJob.objects.filter(state=PreparedState.REQUESTED, run_id__isnull=False, updated_at__gt=at - SILENCE)
    number: int = made.exclude(pk=beside).count()
    return number < int(settings.EXPORTS_AT_ONCE)


@transaction.atomic
def wake_next(*, beside: UUID) -> None:
    """Wake a worker for the table that waits for the longest, but for one that was just left."""
    waiting = ExportJob.objects.filter(state=PreparedState.REQUESTED, run_id=None).exclude(pk=beside)
    first = waiting.order_by("created_at", "pk").values_list("pk", flat=True).first()
    if first is not None:
        publish(ExportRequested(export_id=first))


def tend_exports(*, at: datetime) -> int:
    """Empty what has had its time, and wake workers for tables that nobody is at; return how many these were."""
    return SHELF.purge(at=at) + _wake(at)


def jobs_due(at: datetime, kept: timedelta) -> Any:
    """Return the jobs that are long over."""
    return ExportJob.objects.filter(created_at__lte=at - kept).exclude(state__in=OPEN)


def purge_jobs(at: datetime, kept: timedelta, *, batch: int = 1000) -> int:
    """Forget jobs that are long over, whose files are gone; return how many."""
    return purge(jobs_due(at, kept), order="created_at", batch=batch)


@transaction.atomic
def _wake(at: datetime) -> int:
    """Ask again for what no worker has said anything of for a while: its worker died, or the message was lost.

    Of those that wait for their turn as many are asked for as may be made; who makes them asks for the others.
    """
    rows = ExportJob.objects.filter(state=PreparedState.REQUESTED, updated_at__lte=at - SILENCE)
    oldest = rows.order_by("created_at", "pk")[: settings.EXPORTS_AT_ONCE]
    silent = list(oldest.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
    # Whoever is at it after all is too late from here on.
    ExportJob.objects.filter(pk__in=silent).update(run_id=None, updated_at=Now())
    for pk in silent:
        publish(ExportRequested(export_id=pk))
    return len(silent)


def _require_room(by: Actor) -> None:
    states = list(ExportJob.objects.filter(requested_by=by.pk, state__in=OPEN).values_list("state", flat=True))
    if states.count(PreparedState.REQUESTED) >= MOST_TO_COME or len(states) >= MOST_AT_ONCE:
        raise TooManyExportsError(meta={"most_to_come": MOST_TO_COME, "most_kept": MOST_AT_ONCE})


def _covers(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    """Say whether somebody may see wherever they could when a table was made."""
    if now["everywhere"]:
        return True
    units = (name for name, held in then.items() if isinstance(held, list))
    if any(not set(then[name]) <= set(now[name]) for name in units):
        return False
    return not then.get("everywhere") and now["own"] >= then.get("own", False)
