"""Taking an import back: every row as it was before, in the opposite order and in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from core.errors import ConflictError
from core.snapshots import restore, rows_of
from core.visibility import Actor
from interop.models import ExternalIdentifier, ImportedValue, ImportJob, ImportRow
from interop.models import ImportState as State
from interop.services import states
from interop.services.application import Progress
from interop.services.validation import CHUNK
from interop.targets.registry import Targets

# Of the rows that stand in the way, a refusal names this many.
NAMED = 20


class ChangedSinceError(ConflictError):
    """Somebody has changed rows since they were imported."""

    code = "changed_since_import"
    title = "Rows were changed since they were imported; force it to take the import back all the same."


@transaction.atomic
def revert(
    job_id: UUID,
    *,
    by: Actor | None,
    force: bool = False,
    chunk_size: int = CHUNK,
    progress: Progress = lambda job: None,
) -> ImportJob:
    """Bring every row that a job wrote back to what it was, all of them or none.

    Rows that it created are deleted. Refused with `changed_since_import` when somebody else has
    changed one since, unless forced, and with `in_use` when something else refers to one by now.
    What histories have recorded stays, with one more step that takes the last one back.
    """
    states.require_importer(by)
    job = states.locked(job_id)
    if State.REVERTED not in states.TRANSITIONS[job.state]:
        raise states.TransitionError(f"An import that is {job.state} cannot be taken back.")
    targets = Targets(by)
    rows = ImportRow.objects.filter(job=job, applied_at__isnull=False, before__isnull=False)
    done, above = 0, None
    while True:
        chunk = list((rows if above is None else rows.filter(position__lt=above)).order_by("-position")[:chunk_size])
        if not chunk:
            break
        above = chunk[-1].position
        for batch in _by_resource(chunk):
            _take_back(batch, targets, force=force)
        done += len(chunk)
        job.rows_done = done
        progress(job)
    now = timezone.now()
    total = ImportRow.objects.filter(job=job).count()
    facts: dict[str, Any] = {"reverted_at": now, "has_effect": False, "rows_done": total, "rows_total": total}
    job.refresh_from_db(fields=["rows_done"])
    return states.move(job, state=State.REVERTED, by=by, at=now, **facts)


def _by_resource(rows: Sequence[ImportRow]) -> list[list[ImportRow]]:
    batches: list[list[ImportRow]] = []
    for row in rows:
        if not batches or batches[-1][0].resource != row.resource:
            batches.append([])
        batches[-1].append(row)
    return batches


def _take_back(rows: Sequence[ImportRow], targets: Targets, *, force: bool) -> None:
    """Undo rows of one resource that follow each other, the last written first."""
    if not force:
        _refuse_changed(rows)
    target = targets[rows[0].resource]
    created = [row.object_id for row in rows if row.object_id and (row.before or {}).get("created")]
    if created:
        target.remove(created)
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


def _refuse_changed(rows: Sequence[ImportRow]) -> None:
    """Raise `ChangedSinceError` when a row no longer has the version that the import left."""
    expected: defaultdict[str, dict[UUID, set[int]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        for name, version in (row.written or {}).items():
            entity_type, _, pk = name.rpartition(":")
            expected[entity_type][UUID(pk)] |= {version, *_versions_before(row, entity_type, pk)}
    changed: list[str] = []
    for entity_type, versions in expected.items():
        model: Any = apps.get_model(entity_type)
        present = dict(model._base_manager.filter(pk__among=versions).values_list("pk", "version"))
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
