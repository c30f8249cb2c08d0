"""Taking an import back: every row as it was before, in the opposite order and in one transaction.

Nobody sees it half done, and a run that is killed leaves everything as it was. The price is that
the job's own row stays out of the transaction until its end, and that how far it has come is said
over a connection of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from core import crud
from core.duties import may_not_be_same, records_of
from core.errors import ConflictError, DomainError, ForbiddenError, InUseError
from core.events import publish
from core.privacy import people_of
from core.snapshots import restore, rows_of
from core.visibility import Actor
from interop.events import ReversalRequested
from interop.models import ExternalIdentifier, ImportedValue, ImportJob, ImportJobEvent, ImportRow
from interop.models import ImportState as State
from interop.services import states
from interop.services.announcing import Announcer
from interop.services.application import Progress
from interop.services.counting import reversal_counts_of
from interop.services.measuring import Meter, undisturbed
from interop.services.validation import CHUNK
from interop.targets.base import Target
from interop.targets.locking import LOCKED, lock_in_order
from interop.targets.registry import Targets

# Of the rows that stand in the way, a refusal names this many.
NAMED = 20
# Of those that others refer to by now, this many, since each has to be found by itself.
NAMED_IN_USE = 10


class ChangedSinceError(ConflictError):
    """Somebody has changed rows since they were imported."""

    code = "changed_since_import"
    title = "Rows were changed since they were imported; force it to take the import back all the same."


class OwnImportError(ForbiddenError):
    """The import has written something about whoever would take it back."""

    code = "self_approval"
    title = "Nobody takes back what an import has written about themselves; somebody else may."


class TooOldError(ConflictError):
    """What the import wrote, and what was there before, is no longer known."""

    code = "import_too_old"
    title = "The rows of this import have had their time; it can no longer be taken back."


@transaction.atomic
def request_reversal(job: ImportJob, *, by: Actor | None, force: bool = False) -> ImportJob:
    """Let a worker bring every row that a job wrote back to what it was; refused with `illegal_transition`."""
    asked = _ask(job, by, force=force)
    publish(ReversalRequested(job_id=asked.pk))
    return asked


def revert(
    job_id: UUID,
    *,
    by: Actor | None,
    force: bool = False,
    chunk_size: int = CHUNK,
    progress: Progress = lambda job: None,
) -> ImportJob:
    """Take a job back at once: what `request_reversal` asks for and `take_back` does."""
    with transaction.atomic():
        _ask(states.locked(job_id), by, force=force)
    return take_back(job_id, chunk_size=chunk_size, progress=progress)


def _ask(job: ImportJob, by: Actor | None, *, force: bool) -> ImportJob:
    """Move a job to `reverting`, where it may be already when it was interrupted."""
    states.require_importer(by)
    if job.state == State.REVERTING:
        return crud.update(job, {"is_reversal_forced": job.is_reversal_forced or force})
    if State.REVERTING not in states.TRANSITIONS[job.state]:
        raise states.TransitionError(f"An import that is {job.state} cannot be taken back.")
    if job.created_at <= timezone.now() - settings.IMPORT_ROWS_KEPT:
        raise TooOldError
    facts: dict[str, Any] = {
        "errors": [],
        "rows_done": 0,
        "rows_total": _written_by(job).count(),
        "is_reversal_forced": force,
    }
    return states.move(job, state=State.REVERTING, by=by, at=timezone.now(), **facts)


@undisturbed()
def take_back(
    job_id: UUID,
    *,
    run_id: UUID | None = None,
    chunk_size: int = CHUNK,
    progress: Progress = lambda job: None,
) -> ImportJob:
    """Bring every row that a job wrote back to what it was, all of them or none, as was asked for.

    Rows that it created are deleted. Refused with `changed_since_import` when somebody else has
    changed one since, unless forced, with `self_approval` when a row is about whoever asked, and with
    `in_use`, which names up to ten of them, when something else refers to rows by now: the job is then
    in force as before, and its errors say why. What
    histories have recorded stays, with one more step that takes the last one back. A run that is
    killed has changed nothing.
    """
    meter = Meter()
    job = _begin(job_id, run_id)
    asked_by = _request(job).actor_id
    try:
        with Announcer(job) as announce, transaction.atomic():
            by = states.account_now(asked_by)
            states.require_importer(by, job)
            for done in _take_back_all(job, Targets(by, job), chunk_size, by=by):
                meter.peak_mb()
                job.rows_done += done
                announce()
                progress(job)
            return _finish(job, by, meter)
    except states.SupersededError:
        raise
    except DomainError as refused:
        with transaction.atomic():
            errors = [single.as_dict() for single in refused.violations]
            give_up(states.locked(job.pk, job.run_id), errors, refused.error_code)
        raise


@transaction.atomic
def _begin(job_id: UUID, run_id: UUID | None) -> ImportJob:
    """Take over a job that somebody has asked for to be taken back."""
    job = states.locked(job_id)
    if job.state != State.REVERTING:
        raise states.TransitionError(f"An import that is {job.state} is not being taken back.")
    return crud.update(job, {"run_id": run_id or uuid4(), "rows_done": 0})


def _request(job: ImportJob) -> ImportJobEvent:
    """Return the step by which somebody asked for a job to be taken back."""
    asked = job.events.filter(to_state=State.REVERTING).select_related("actor")
    return asked.latest("happened_at", "id")


def _written_by(job: ImportJob) -> QuerySet[ImportRow]:
    return ImportRow.objects.filter(job=job, applied_at__isnull=False, before__isnull=False)


def _take_back_all(job: ImportJob, targets: Targets, chunk_size: int, *, by: Actor | None) -> Iterator[int]:
    """Undo the rows of a job, the last written first; yield how many each time."""
    lock_in_order(_ids_by_resource(job))
    targets.lock_ahead(_written_by(job))
    rows, above = _written_by(job).order_by("-position"), None
    while chunk := list((rows if above is None else rows.filter(position__lt=above))[:chunk_size]):
        above = chunk[-1].position
        for batch in _by_resource(chunk):
            _refuse_own(batch, targets[batch[0].resource].model, by=by)
            _take_back(batch, targets, force=job.is_reversal_forced)
        yield len(chunk)


def _refuse_own(rows: Sequence[ImportRow], model: type[Model], *, by: Actor | None) -> None:
    """Raise `OwnImportError` where one of these rows wrote something about whoever acts."""
    if not records_of(by):
        return
    written = model._base_manager.filter(pk__in=[row.object_id for row in rows if row.object_id])
    along = [single for row in rows for other in (row.before or {}).get("touched", ()) for single in other["kept"]]
    touched: defaultdict[str, list[str]] = defaultdict(list)
    for single in along:
        touched[single["of"]] += [row["id"] for row in rows_of(single)]
    others = [apps.get_model(label)._base_manager.filter(pk__in=ids) for label, ids in touched.items()]
    may_not_be_same(by, OwnImportError, people=people_of(written, *others))


def _ids_by_resource(job: ImportJob) -> dict[str, set[UUID]]:
    """Return the ids of everything that taking a job back writes."""
    ids: defaultdict[str, set[UUID]] = defaultdict(set)
    for resource, pk in _written_by(job).filter(resource__in=LOCKED).values_list("resource", "object_id"):
        if pk is not None:
            ids[resource].add(pk)
    along = _written_by(job).filter(before__has_key="touched").values_list("before__touched", flat=True)
    for other in (other for touched in along for other in touched):
        ids[other["resource"]].add(UUID(rows_of(other["kept"][0])[0]["id"]))
    return dict(ids)


def _finish(job: ImportJob, by: Actor | None, meter: Meter) -> ImportJob:
    job = states.locked(job.pk, job.run_id)
    total = ImportRow.objects.filter(job=job).count()
    now = timezone.now()
    reversal = {
        "seconds": float(meter.seconds()), "peak_mb": float(meter.peak_mb()), "counts": reversal_counts_of(job)
    }  # fmt: skip
    facts: dict[str, Any] = {"reverted_at": now, "has_effect": False, "rows_done": total, "rows_total": total}
    return states.move(job, state=State.REVERTED, by=by, at=now, reversal=reversal, **facts)


def give_up(job: ImportJob, errors: Sequence[dict[str, Any]], reason: str) -> None:
    """Leave a locked job as it was before somebody asked for it to be taken back, and say why."""
    asked = _request(job)
    rows = ImportRow.objects.filter(job=job)
    facts: dict[str, Any] = {
        "errors": list(errors),
        "rows_done": rows.filter(applied_at__isnull=False).count(),
        "rows_total": rows.count(),
    }
    states.settle(job, state=asked.from_state, by=asked.actor, at=timezone.now(), reason=reason, **facts)


def _by_resource(rows: Sequence[ImportRow]) -> list[list[ImportRow]]:
    batches: list[list[ImportRow]] = []
    for row in rows:
        if not batches or batches[-1][0].resource != row.resource:
            batches.append([])
        batches[-1].append(row)
    return batches


def _take_back(rows: Sequence[ImportRow], targets: Targets, *, force: bool) -> None:
    """Undo rows of one resource that follow each other, the last written first."""
    target = targets[rows[0].resource]
    target.take_up(rows)
    if not force:
        _refuse_changed(rows, target)
    made = [row for row in rows if row.object_id and (row.before or {}).get("created")]
    created = [row.object_id for row in made if row.object_id]
    if created:
        _remove(target, made, created)
    kept = [single for row in rows for single in (row.before or {}).get("kept", ())]
    if kept:
        target.restore(kept)
    touched: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:  # the earliest comes last and is what was there before
        for other in (row.before or {}).get("touched", ()):
            touched[other["resource"]][rows_of(other["kept"][0])[0]["id"]] = other["kept"]
    for resource, by_id in touched.items():
        targets[resource].restore([single for kept_of_one in by_id.values() for single in kept_of_one])
    _forget(target.entity_type, rows, created)


def _remove(target: Target, rows: Sequence[ImportRow], ids: Sequence[UUID]) -> None:
    """Delete what rows created; raise `InUseError` that names those to which something else refers."""
    try:
        target.remove(ids)
    except InUseError as refused:
        named = _in_use(target, rows)
        if not named:
            raise
        keys = ", ".join(f"{row['resource']} {row['natural_key']}" for row in named)
        raise InUseError(
            f"Other records refer to rows that the import created, such as: {keys}.",
            meta={**refused.meta, "rows": named},
        ) from refused


def _in_use(target: Target, rows: Sequence[ImportRow]) -> list[dict[str, str]]:
    """Return the first rows that cannot be deleted; the others are, and come back with the transaction."""
    named: list[dict[str, str]] = []
    for row in rows:
        try:
            target.remove([row.object_id] if row.object_id else [])
        except InUseError:
            named.append({"resource": row.resource, "natural_key": row.natural_key, "id": str(row.object_id)})
        if len(named) == NAMED_IN_USE:
            break
    return named


def _refuse_changed(rows: Sequence[ImportRow], target: Target) -> None:
    """Raise `ChangedSinceError` when a row no longer has the version that the import left."""
    expected: defaultdict[str, dict[UUID, set[int]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        for name, version in (row.written or {}).items():
            entity_type, _, pk = name.rpartition(":")
            expected[entity_type][UUID(pk)] |= {version, *_versions_before(row, entity_type, pk)}
    changed: list[str] = []
    for entity_type, versions in expected.items():
        present = target.versions_now(entity_type, versions.keys())
        changed += [f"{entity_type} {pk}" for pk, known in versions.items() if present.get(pk) not in known]
    if changed:
        raise ChangedSinceError(
            f"{len(changed)} rows were changed since they were imported.",
            meta={"rows": changed[:NAMED], "count": len(changed)},
        )


def _versions_before(row: ImportRow, entity_type: str, pk: str) -> set[int]:
    """Return the version that a row has again once what came after it was taken back."""
    before = row.before or {}
    kept = [*before.get("kept", ()), *(single for other in before.get("touched", ()) for single in other["kept"])]
    return {
        int(found["version"])
        for single in kept
        if single["of"] == entity_type
        for found in rows_of(single)
        if found["id"] == pk and "version" in found
    }


def _forget(entity_type: str, rows: Sequence[ImportRow], created: Sequence[UUID]) -> None:
    """Bring what is remembered of imported rows back as well."""
    befores = [(row, row.before or {}) for row in rows]
    for row, before in befores:
        if before.get("identified") and not before.get("created"):
            scheme, _, value = row.external_id.partition(":")
            ExternalIdentifier.objects.filter(scheme=scheme, value=value, entity_type=entity_type).delete()
    ImportedValue.objects.filter(entity_type=entity_type, object_id__among=created).delete()
    ExternalIdentifier.objects.filter(entity_type=entity_type, object_id__among=created).delete()
    restore([before["remembered"] for _, before in befores if "remembered" in before])
