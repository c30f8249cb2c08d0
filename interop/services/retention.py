"""How long imports remember what their files said: long enough to take them back, and no longer."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from core.db.purging import purge
from core.privacy import gather
from core.privacy.retention import held_people
from interop.models import ImportJob, ImportRow
from interop.services import files


def rows_due(at: datetime) -> QuerySet[ImportRow]:
    """Return the rows of imports too old to be taken back, but for those about people whose records are held."""
    rows = ImportRow.objects.filter(job__created_at__lte=at - settings.IMPORT_ROWS_KEPT)
    held = _held_ids()
    return rows.exclude(object_id__in=held) if held else rows


def purge_rows(at: datetime, *, batch: int = 5000) -> int:
    """Forget what the files of old imports said, in small transactions; return how many rows that was."""
    return purge(rows_due(at), order="job_id", batch=batch)


def files_due(at: datetime) -> list[ImportJob]:
    """Return the imports whose uploaded file has had its time and is still there."""
    old = ImportJob.objects.filter(is_uploaded=True, created_at__lte=at - settings.IMPORT_FILES_KEPT)
    held = _held_ids()
    if held:
        old = old.exclude(pk__in=ImportRow.objects.filter(object_id__in=held).values("job"))
    return [job for job in old.exclude(stored_path="").order_by("pk").iterator() if files.path_of(job).exists()]


def discard_files(at: datetime) -> int:
    """Delete uploaded files that have had their time; return how many."""
    due = files_due(at)
    for job in due:
        files.discard(job)
    return len(due)


def _held_ids() -> set[str]:
    """Return the ids of everybody whose records are held, and of the rows about them."""
    people: list[UUID] = held_people()
    return {pk for person in people for pk in gather(person, (person,)).ids}
