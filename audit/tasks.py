"""The chores of the logs, for the schedule."""

from celery import shared_task

from audit import services
from core.chores import carry_out


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def seal_audit() -> None:
    """Seal what can be sealed of the logs."""
    carry_out("seal_audit", services.seal_logs)
