"""The chores of the accounts, for the schedule."""

from celery import shared_task
from django.utils import timezone

from accounts import services
from core.chores import carry_out


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_sessions() -> None:
    """Forget the log-ins that ended long ago."""
    carry_out("purge_sessions", lambda: services.purge_sessions(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_admin_sessions() -> None:
    """Forget the expired log-ins of the administration pages."""
    carry_out("purge_admin_sessions", lambda: services.purge_admin_sessions(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_guess_counts() -> None:
    """Forget what people guessed wrong long ago."""
    carry_out("purge_guess_counts", lambda: services.purge_guess_counts(at=timezone.now()))
