"""How many records of each resource met with what."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, CharField, Count, Q, Value, When

from interop.models import OVER_CAPACITY, ImportAction, ImportJob, ImportRow
from interop.targets.registry import TARGETS

COUNTED = ("created", "updated", "unchanged", "rejected")
UNDONE = (*COUNTED, "deleted")
# What is in conflict was not written, and somebody has to look at it: it counts as rejected.
AS: dict[str, str] = {
    ImportAction.CREATE: "created",
    ImportAction.UPDATE: "updated",
    ImportAction.UNCHANGED: "unchanged",
    ImportAction.CONFLICT: "rejected",
    ImportAction.REJECTED: "rejected",
}


def counts_of(job: ImportJob) -> dict[str, dict[str, int]]:
    """Return the counts by resource, of enrolments also how many are over the capacity of their section."""
    rows = ImportRow.objects.filter(job=job).values("resource", "action")
    over = Count("pk", filter=Q(resource="enrollments", notes__contains=[{"code": OVER_CAPACITY}]))
    counts: dict[str, dict[str, int]] = {}
    for row in rows.annotate(number=Count("pk"), over=over):
        of_resource = counts.setdefault(row["resource"], dict.fromkeys(COUNTED, 0))
        of_resource[AS[row["action"]]] += row["number"]
        if row["over"]:
            of_resource[OVER_CAPACITY] = of_resource.get(OVER_CAPACITY, 0) + row["over"]
    return counts


def reversal_counts_of(job: ImportJob) -> dict[str, dict[str, int]]:
    """Return, by resource, what taking a job back does: what it created goes, what it updated is updated back."""
    undone = Case(
        When(before__has_key="created", then=Value("deleted")),
        When(before__has_key="kept", then=Value("updated")),
        default=Value("unchanged"),
        output_field=CharField(),
    )
    rows = ImportRow.objects.filter(job=job).annotate(undone=undone).values("resource", "undone")
    counts: dict[str, dict[str, int]] = {}
    for row in rows.annotate(number=Count("pk")):
        counts.setdefault(row["resource"], dict.fromkeys(UNDONE, 0))[row["undone"]] = row["number"]
    return counts


def summary(job: ImportJob) -> dict[str, Any]:
    """Return what a run reports: totals, cost, and the counts by resource."""
    cost = {"rows": job.rows_read, "seconds": float(job.seconds), "peak_mb": float(job.peak_mb)}
    return _report(job, job.counts, COUNTED, cost)


def over_capacity(job: ImportJob) -> int:
    """Return how many enrolments were recorded, or are going to be, although their section was full."""
    return sum(of_resource.get(OVER_CAPACITY, 0) for of_resource in job.counts.values())


def reversal_summary(job: ImportJob) -> dict[str, Any]:
    """Return what taking a job back did, in the shape of `summary` and with `deleted` beside the other counts.

    `rows` are the records of the import that were looked at; none is created or rejected by taking it back.
    """
    counts = job.reversal["counts"]
    rows = sum(sum(of_resource.values()) for of_resource in counts.values())
    return _report(
        job, counts, UNDONE, {"rows": rows, "seconds": job.reversal["seconds"], "peak_mb": job.reversal["peak_mb"]}
    )


def _report(
    job: ImportJob, counts: dict[str, dict[str, int]], names: Sequence[str], cost: dict[str, Any]
) -> dict[str, Any]:
    by_type = {resource: {name: counts[resource][name] for name in names} for resource in TARGETS if resource in counts}
    totals = {name: sum(of_resource[name] for of_resource in by_type.values()) for name in names}
    return {"kind": job.kind, **totals, **cost, "by_type": by_type}
