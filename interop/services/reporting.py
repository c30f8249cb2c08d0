"""The report of an import: one line for each record, safe to open in a spreadsheet."""

from collections.abc import Iterator
from typing import Any

from core.tables import line
from interop.models import ImportJob, ImportRow
from interop.models import ImportState as State

HEADER = ["file", "row", "resource", "key", "external_id", "outcome", "reasons", "notes", "id"]
PAGE = 2_000
# How what was foreseen is called once it is done.
DONE = {"create": "created", "update": "updated"}


def report(job: ImportJob) -> Iterator[str]:
    """Yield the report as CSV, a piece at a time: what was done, or before that, what would be."""
    yield "\ufeff" + line(HEADER)
    for remark in job.remarks:
        rows = "" if remark["rows"] is None else str(remark["rows"])
        yield line([remark["file"], rows, "", "", "", remark["code"], remark["detail"], "", ""])
    for error in job.errors:
        meta = error.get("meta", {})
        row = meta.get("row") or meta.get("line") or ""
        yield line(
            [meta.get("file", ""), str(row), "", meta.get("field", ""), "", error["code"], error["detail"], "", ""]
        )
    after = 0
    while page := list(ImportRow.objects.filter(job=job, position__gt=after).order_by("position")[:PAGE]):
        yield "".join(line(_cells(job, row)) for row in page)
        after = page[-1].position


def _cells(job: ImportJob, row: ImportRow) -> list[str]:
    outcome = row.action if row.applied_at or job.state != State.REVERTED else "reverted"
    if row.before is not None:
        outcome = DONE.get(outcome, outcome)
    if job.state == State.REVERTED and row.before is not None:
        outcome = "reverted"
    return [
        row.file,
        str(row.row_no),
        row.resource,
        row.natural_key,
        row.external_id,
        outcome,
        _sentences(row.reasons),
        _sentences(row.notes),
        str(row.object_id or ""),
    ]


def _sentences(faults: list[dict[str, Any]]) -> str:
    return " ".join(
        f"[{fault['code']}{' ' + fault['field'] if fault['field'] else ''}] {fault['detail']}" for fault in faults
    )
