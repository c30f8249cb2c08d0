"""What a worker does for projects."""

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from projects import services


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_drafts() -> None:
    """Delete drafts that nobody has touched for long."""
    carry_out("purge_drafts", lambda: services.delete_abandoned_drafts(at=timezone.now()))
