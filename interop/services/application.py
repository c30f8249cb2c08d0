"""Writing the staged records, one chunk after the other.

A chunk is one transaction that writes rows, remembers what it replaced, and marks its records. A
run that is killed loses the chunk it was in and nothing else; whoever resumes goes on there.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.errors import ConflictError, InvalidError
from core.snapshots import keep_owned, rows_of
from core.visibility import Actor
from interop.faults import Fault
from interop.models import ImportAction, ImportedValue, ImportJob, ImportRow
from interop.models import ImportState as State
from interop.services import staging, states
from interop.services.analysis import LATER, Analysis
from interop.services.counting import counts_of
from interop.services.measuring import Meter, undisturbed
from interop.services.validation import CHUNK
from interop.sources.records import Record
from interop.targets.base import Target, is_pending
from interop.targets.items import Item
from interop.targets.registry import Targets

Progress = Callable[[ImportJob], None]


@undisturbed()
def apply(
    job_id: UUID,
    *,
    by: Actor | None,
    run_id: UUID | None = None,
    chunk_size: int = CHUNK,
    until: float | None = None,
    progress: Progress = lambda job: None,
) -> ImportJob:
    """Write a validated job's records on behalf of `by`, from where an earlier run stopped.

    Stops at the end of a chunk once `until` (of the monotonic clock) has passed; the job is then
    still `applying`. Refused with `already_imported` when the same file is in force.
    """
    meter = Meter()
    job = _begin(job_id, by, run_id)
    targets = Targets(by, job)
    analysis = Analysis(job, targets, is_preview=False)
    while True:
        with transaction.atomic():
            job = states.locked(job.pk, job.run_id)
            items = _next_items(job, chunk_size)
            if not items:
                return _finish(job, by, meter)
            _write_in_waves(job, items, analysis, targets)
            staging.record_outcomes(job, items)
            job.rows_done += len(items)
            job.applied_to = items[-1].position
            job.seconds += meter.seconds()
            job.peak_mb = max(job.peak_mb, meter.peak_mb())
            ImportJob.objects.filter(pk=job.pk).update(
                rows_done=F("rows_done") + len(items),
                applied_to=job.applied_to,
                seconds=job.seconds,
                peak_mb=job.peak_mb,
            )
        progress(job)
        if until is not None and time.monotonic() >= until:
            return job


@transaction.atomic
def _begin(job_id: UUID, by: Actor | None, run_id: UUID | None) -> ImportJob:
    job = states.locked(job_id)
    facts: dict[str, Any] = {}
    if job.state != State.APPLYING:
        pending = ImportRow.objects.filter(job=job, applied_at=None)
        facts = {"rows_total": pending.count(), "rows_done": 0, "applied_to": 0, "errors": []}
        refuse_repetition(job)
    return states.begin(job_id, state=State.APPLYING, by=by, run_id=run_id, at=timezone.now(), **facts)


def refuse_repetition(job: ImportJob) -> None:
    """Raise `AlreadyImportedError` when a job would write again what an import of the same file has written."""
    pending = ImportRow.objects.filter(job=job, applied_at=None)
    effective = pending.filter(action__in=(ImportAction.CREATE, ImportAction.UPDATE))
    if job.is_forced or not effective.exists():
        return
    same = ImportJob.objects.filter(kind=job.kind, sha256=job.sha256, is_forced=False)
    other = same.filter(state=State.APPLIED, has_effect=True).exclude(pk=job.pk).first()
    if other is not None:
        raise AlreadyImportedError(meta={"job": str(other.pk), "applied_at": str(other.applied_at)})


class AlreadyImportedError(ConflictError):
    """The same file was imported, is in force, and would change something again."""

    code = "already_imported"
    title = "An import of the same file is in force; force it to import it again."


def _next_items(job: ImportJob, chunk_size: int) -> list[Item]:
    """Return the next records to apply, of one resource."""
    rows = ImportRow.objects.filter(job=job, position__gt=job.applied_to, applied_at=None).order_by("position")
    items: list[Item] = []
    for position, resource, key, values, file, row_no, initial, external_id, notes in rows.values_list(
        "position", "resource", "natural_key", "values", "file", "row_no", "initial", "external_id", "notes"
    )[:chunk_size]:
        if items and items[0].record.resource != resource:
            break
        noted = [Fault(**note) for note in notes]
        record = Record(resource, key, values, file, row_no, {}, initial, external_id, [], noted)
        items.append(Item(record, position))
    return items


def _write_in_waves(job: ImportJob, items: Sequence[Item], analysis: Analysis, targets: Targets) -> None:
    """Write items of one resource, those first that the others of the chunk refer to."""
    waiting = list(items)
    while waiting:
        analysis.of(waiting)
        ready = [item for item in waiting if item.is_rejected or not _waits(item)]
        if not ready:
            for item in waiting:
                item.reject(Fault("unknown_reference", LATER))
            return
        settled = {item.position for item in ready}
        waiting = [item for item in waiting if item.position not in settled]
        _write(targets[items[0].record.resource], ready, targets)
        if waiting:
            staging.record_outcomes(job, ready)
        for item in waiting:
            item.reasons.clear()


def _waits(item: Item) -> bool:
    return any(_has_pending(value) for value in (*item.values.values(), *item.initial.values()))


def _has_pending(value: Any) -> bool:
    if isinstance(value, list):
        return any(is_pending(one) or (isinstance(one, dict) and is_pending(one.get("faculty_id"))) for one in value)
    return is_pending(value)


def _write(target: Target, items: Sequence[Item], targets: Targets) -> None:
    created = [item for item in items if item.action == ImportAction.CREATE]
    updated = [item for item in items if item.action == ImportAction.UPDATE]
    touched = _Touched(target, [*created, *updated], targets)
    if updated:
        kept = target.keep([item.row.pk for item in updated])
        target.update(updated)
        for item in updated:
            item.before = {"kept": kept[item.row.pk]}
    if created:
        target.create(created)
        for item in created:
            if item.action == ImportAction.CREATE:
                item.object_id = item.row.pk
                item.before = {"created": True}
    written = [item for item in (*created, *updated) if not item.is_rejected]
    for item in written:
        item.written = target.versions(item.row)
    touched.settle(written)
    _remember(target, [item for item in items if not item.is_rejected])


class _Touched:
    """The rows of other resources that writing items changes as well, as they were before."""

    def __init__(self, target: Target, items: Sequence[Item], targets: Targets) -> None:
        self._targets = targets
        self._before = {resource: targets[resource].keep(ids) for resource, ids in target.touched(items).items() if ids}

    def settle(self, items: Sequence[Item]) -> None:
        """Let the first of the items, whose write is undone last, remember the rows that were changed along."""
        if not items:
            return
        first = min(items, key=lambda item: item.position)
        for resource, kept in self._before.items():
            other = self._targets[resource]
            for pk, version in other.versions_now(other.entity_type, kept.keys()).items():
                if _version_in(kept[pk], other.entity_type, pk) != version:
                    first.written[f"{other.entity_type}:{pk}"] = version
                    first.before = first.before or {}
                    first.before.setdefault("touched", []).append({"resource": resource, "kept": kept[pk]})


def _version_in(kept: Iterable[dict[str, Any]], entity_type: str, pk: UUID) -> int | None:
    for single in kept:
        for row in rows_of(single) if single["of"] == entity_type else ():
            if row["id"] == str(pk):
                return int(row["version"])
    return None


def _remember(target: Target, items: Sequence[Item]) -> None:
    """Remember what was written, and by what name the source knows the rows."""
    if not target.remembers:
        return
    values: list[tuple[UUID, dict[str, Any]]] = []
    names: list[tuple[str, UUID]] = []
    known = [item.object_id for item in items if item.object_id and item.action != ImportAction.CREATE]
    former = keep_owned(ImportedValue, "object_id", known)
    for item in items:
        if item.object_id is None:
            continue
        if item.action == ImportAction.CREATE:
            values.append((item.object_id, target.read_created(item)))
        elif item.remembered is None or item.changes:
            conflicts = {fault.field for fault in item.reasons}
            news = {
                name: value
                for name, value in item.encoded.items()
                if (name not in conflicts and name in item.held) or name in item.changes
            }
            values.append((item.object_id, {**item.held, **(item.remembered or {}), **news}))
            item.before = {**(item.before or {}), "remembered": former[item.object_id]}
        if item.record.external_id and not item.has_identifier:
            names.append((item.record.external_id, item.object_id))
            item.before = {**(item.before or {}), "identified": True}
    staging.remember(target.entity_type, values)
    staging.identify(target.entity_type, names)


def _finish(job: ImportJob, by: Actor | None, meter: Meter) -> ImportJob:
    counts = counts_of(job)
    refused = sum(of_resource["rejected"] for of_resource in counts.values())
    rows = ImportRow.objects.filter(job=job)
    if refused and not rows.exclude(action=ImportAction.REJECTED).exists():
        return _refuse_whole(job, by, counts, rows.count(), meter)
    effect = any(of_resource["created"] or of_resource["updated"] for of_resource in counts.values())
    facts: dict[str, Any] = {
        "counts": counts,
        "has_effect": effect,
        "applied_at": timezone.now(),
        "rows_done": job.rows_total,
        "seconds": job.seconds + meter.seconds(),
        "peak_mb": max(job.peak_mb, meter.peak_mb()),
    }
    state = State.PARTIALLY_APPLIED if refused else State.APPLIED
    return states.settle(job, state=state, by=by, at=timezone.now(), **facts)


class AllRejectedError(InvalidError):
    """Not one row of the file could be imported."""

    code = "all_rows_rejected"
    title = "Every row was rejected; nothing was written."
    field = "file"


def _refuse_whole(
    job: ImportJob, by: Actor | None, counts: dict[str, dict[str, int]], total: int, meter: Meter
) -> ImportJob:
    """Let an import of which no row was accepted end as failed.

    It counts as never validated, so that whoever resumes it reads the file again: what a row lacked
    may be there by then.
    """
    refusal = AllRejectedError(meta={"file": job.file_name, "rows": total})
    facts: dict[str, Any] = {
        "counts": counts,
        "errors": [refusal.as_dict()],
        "validated_at": None,
        "rows_done": total,
        "rows_total": total,
        "seconds": job.seconds + meter.seconds(),
        "peak_mb": max(job.peak_mb, meter.peak_mb()),
    }
    return states.move(job, state=State.FAILED, by=by, at=timezone.now(), reason=refusal.error_code, **facts)
