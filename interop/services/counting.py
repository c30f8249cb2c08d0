"""How many records of each resource met with what."""

from typing import Any

from django.db.models import Count

from interop.models import ImportAction, ImportJob, ImportRow
from interop.targets.registry import TARGETS

COUNTED = ("created", "updated", "unchanged", "rejected")
# What is in conflict was not written, and somebody has to look at it: it counts as rejected.
AS: dict[str, str] = {
    ImportAction.CREATE: "created",
    ImportAction.UPDATE: "updated",
    ImportAction.UNCHANGED: "unchanged",
    ImportAction.CONFLICT: "rejected",
    ImportAction.REJECTED: "rejected",
}


def counts_of(job: ImportJob) -> dict[str, dict[str, int]]:
    """Return the counts by resource."""
    rows = ImportRow.objects.filter(job=job).values("resource", "action")
    counts: dict[str, dict[str, int]] = {}
    for row in rows.annotate(number=Count("pk")):
        of_resource = counts.setdefault(row["resource"], dict.fromkeys(COUNTED, 0))
        of_resource[AS[row["action"]]] += row["number"]
    return counts


def summary(job: ImportJob) -> dict[str, Any]:
    """Return what a run reports: totals, cost, and the counts by resource."""
    by_type = {
        resource: {name: job.counts[resource][name] for name in COUNTED}
        for resource in TARGETS
        if resource in job.counts
    }
    totals = {name: sum(counts[name] for counts in by_type.values()) for name in COUNTED}
    return {
        "kind": job.kind,
        **totals,
        "rows": job.rows_read,
        "seconds": float(job.seconds),
        "peak_mb": float(job.peak_mb),
        "by_type": by_type,
    }
