"""Finding out what a file would do: every record into the staging table, with its forecast."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import count
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.errors import DomainError
from core.visibility import Actor
from interop.faults import Fault
from interop.models import ImportJob, ImportRow
from interop.models import ImportState as State
from interop.services import staging, states
from interop.services.analysis import Analysis, as_item
from interop.services.counting import counts_of
from interop.services.files import opened
from interop.services.measuring import Meter, undisturbed
from interop.sources.records import Record, Source
from interop.targets.items import Item
from interop.targets.registry import Targets

CHUNK = 1_000
# Of a file that is refused, as many faults are kept.
KEPT_ERRORS = 1_000


@undisturbed()
def validate(
    job_id: UUID,
    *,
    by: Actor | None,
    run_id: UUID | None = None,
    chunk_size: int = CHUNK,
    progress: Callable[[ImportJob], None] = lambda job: None,
) -> ImportJob:
    """Read a job's file into the staging table and say what applying it on behalf of `by` would do.

    A job that was interrupted begins anew. A file that cannot be read leaves the job `failed` with
    its faults; raises `illegal_transition` when the job is past this step.
    """
    meter = Meter()
    job = states.begin(
        job_id,
        state=State.VALIDATING,
        by=by,
        run_id=run_id,
        at=timezone.now(),
        errors=[], reversal={}, remarks=[], counts={}, rows_done=0, rows_total=0, rows_read=0, applied_to=0,
        validated_at=None,
    )  # fmt: skip
    _forget_rows(job)
    try:
        with opened(job) as source:
            _stage_all(job, source, Targets(by, job), chunk_size=chunk_size, meter=meter, progress=progress)
            facts: dict[str, Any] = {
                "remarks": [asdict(remark) for remark in source.remarks],
                "rows_read": sum(source.rows_read.values()),
            }
    except states.SupersededError:
        raise
    except DomainError as refused:
        _forget_rows(job)
        return _failed(job, by, refused, meter)
    with transaction.atomic():
        job = states.locked(job.pk, job.run_id)
        total = ImportRow.objects.filter(job=job).count()
        facts |= {"rows_total": total, "rows_done": total, "counts": counts_of(job)}
        facts |= {"validated_at": timezone.now(), "seconds": meter.seconds(), "peak_mb": meter.peak_mb()}
        return states.move(job, state=State.VALIDATED, by=by, at=timezone.now(), **facts)


def _stage_all(
    job: ImportJob,
    source: Source,
    targets: Targets,
    *,
    chunk_size: int,
    meter: Meter,
    progress: Callable[[ImportJob], None],
) -> None:
    analysis = Analysis(job, targets, is_preview=True)
    positions = count(1)
    staged = 0
    for batch in batches(source.records(), chunk_size):
        items = [as_item(record, next(positions)) for record in batch]
        with transaction.atomic():
            states.locked(job.pk, job.run_id)
            sound = _refuse_duplicates(job, [item for item in items if not item.is_rejected])
            faulty = [item for item in items if item.record.faults and item.record.values]
            if sound or faulty:
                analysis.of(sorted((*sound, *faulty), key=lambda item: item.position))
            staging.stage(job, items)
            staged += len(items)
            total = max(source.rows_expected, staged)
            ImportJob.objects.filter(pk=job.pk).update(rows_done=staged, rows_total=total)
        job.rows_done, job.rows_total = staged, total
        meter.peak_mb()
        progress(job)


def batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Yield records in their order, at most `size` at a time and of one resource each time."""
    batch: list[Record] = []
    for record in records:
        if batch and (len(batch) >= size or record.resource != batch[0].resource):
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def _refuse_duplicates(job: ImportJob, items: Sequence[Item]) -> list[Item]:
    """Reject items whose row an earlier record of the job is about already; return the others."""
    if not items:
        return []
    keys = Counter[str]()
    names = Counter[str]()
    earlier = ImportRow.objects.filter(job=job, resource=items[0].record.resource).filter(
        Q(natural_key__among=[item.record.key for item in items])
        | Q(external_id__among=[item.record.external_id for item in items if item.record.external_id])
    )
    for key, name in earlier.values_list("natural_key", "external_id"):
        keys[key] += 1
        names[name] += 1
    sound = []
    for item in items:
        key, name = item.record.key, item.record.external_id
        if keys[key] or (name and names[name]):
            item.reject(Fault("duplicate_row", "An earlier row of the file is about the same record."))
        else:
            sound.append(item)
        keys[key] += 1
        names[name] += 1
    return sound


def _forget_rows(job: ImportJob) -> None:
    ImportRow.objects.filter(job=job).delete()


def _failed(job: ImportJob, by: Actor | None, refused: DomainError, meter: Meter) -> ImportJob:
    errors = [error.as_dict() for error in refused.violations][:KEPT_ERRORS]
    with transaction.atomic():
        job = states.locked(job.pk, job.run_id)
        facts: dict[str, Any] = {"errors": errors, "seconds": meter.seconds(), "peak_mb": meter.peak_mb()}
        return states.move(job, state=State.FAILED, by=by, at=timezone.now(), reason=refused.error_code, **facts)
