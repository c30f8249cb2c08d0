"""The chores of the foundation, for the schedule."""

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from core.idempotency import purge_expired
from core.partitions import make_months
from core.relay import purge_delivered


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_outbox() -> None:
    """Forget events that were delivered some days ago."""
    carry_out("purge_outbox", purge_delivered)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_idempotency_keys() -> None:
    """Forget the answers whose keys have expired."""
    carry_out("purge_idempotency_keys", purge_expired)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def partitions() -> None:
    """Make the months to come of the tables kept by month."""
    carry_out("partitions", lambda: make_months(at=timezone.now()))
