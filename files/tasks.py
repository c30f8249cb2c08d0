"""What a worker does for files."""

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from files import services


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_files() -> None:
    """Forget deleted files that have had their time, and delete bytes that no file has."""
    carry_out("purge_files", lambda: services.collect_garbage(at=timezone.now()))
