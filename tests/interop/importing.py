"""Imports of small tables, by the services alone."""

import csv
import io
from pathlib import Path
from typing import Any

from interop import services
from interop.models import ImportJob, ImportRow


def table(path: Path, *rows: dict[str, Any]) -> Path:
    """Write rows as CSV under the columns that they have."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def validated(kind: str, path: Path, **more: Any) -> ImportJob:
    job = services.from_path(by=None, kind=kind, path=path, **more)
    return services.validate(job.pk, by=None)


def imported(kind: str, path: Path, **more: Any) -> ImportJob:
    return services.apply(validated(kind, path, **more).pk, by=None)


def totals(job: ImportJob) -> tuple[int, int, int, int]:
    """Return how many records were created, updated, left unchanged and rejected."""
    found = services.summary(job)
    return found["created"], found["updated"], found["unchanged"], found["rejected"]


def reasons(job: ImportJob) -> list[tuple[int, str, str]]:
    """Return (line, code, field) of everything that was refused, in the order of the file."""
    rows = ImportRow.objects.filter(job=job).exclude(reasons=[]).order_by("row_no", "position")
    return [(row.row_no, fault["code"], fault["field"]) for row in rows for fault in row.reasons]
