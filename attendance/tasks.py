"""The chores of attendance, for the schedule."""

from celery import shared_task
from django.utils import timezone

from attendance import services
from core.chores import carry_out


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def generate_sessions() -> None:
    """Bring the sessions of what is taught in line with the timetable."""
    carry_out("generate_sessions", lambda: services.generate_sessions(at=timezone.now()).written)
