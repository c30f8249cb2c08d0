"""The chores of the catalogue, for the schedule."""

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from courses import services


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def adopt_course_versions() -> None:
    """Bring the versions into effect whose first day has come where the institution is."""
    carry_out("adopt_course_versions", lambda: services.adopt_versions(on=timezone.localdate()))
