"""What a worker does for privacy. A task carries an id; whoever asked, and whether they still may, is in the row."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from privacy import services


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def make_export(export_id: str) -> None:
    """Put everything about a person together for whoever asked for it."""
    services.make_export(UUID(export_id), at=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def erase(erasure_id: str) -> None:
    """Erase the person of an approved request."""
    services.carry_out_erasure(UUID(erasure_id), at=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_exports() -> None:
    """Delete the files of exports that have had their time."""
    carry_out("purge_exports", lambda: services.purge_exports(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def apply_retention() -> None:
    """Delete what has been kept for as long as it may be."""
    carry_out("apply_retention", lambda: services.apply_retention(at=timezone.now()))
