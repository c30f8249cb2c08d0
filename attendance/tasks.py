"""The chores of attendance, for the schedule, and what takes a worker long that somebody has asked for."""

import time
from datetime import date
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from attendance import services
from attendance.models import DecisionRun
from core.chores import carry_out
from core.db.locks import LockHeldError
from core.provenance import acting_as

# Well below the time limit of a task; a longer run goes on in the next one.
SECONDS_AT_A_TIME = 600


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def generate_sessions() -> None:
    """Bring the sessions of what is taught in line with the timetable."""
    carry_out("generate_sessions", lambda: services.generate_sessions(at=timezone.now()).written)


# Whoever finds another at it tries again; what is left after an hour, the night finds.
@shared_task(autoretry_for=(LockHeldError,), retry_backoff=15, max_retries=8)  # type: ignore[untyped-decorator]  # Celery has no types
def generate_days(first: str, last: str, taught_as: int | None = None) -> None:
    """Bring the sessions of some days in line with what the calendar says of them by now."""
    days = (date.fromisoformat(first), date.fromisoformat(last))
    services.generate_days(*days, taught_as=taught_as, at=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def apply_excuses() -> None:
    """Mark those excused in sessions that nobody has marked."""
    carry_out("apply_excuses", lambda: services.apply_excuses(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def expire_substitutions() -> None:
    """Let proposals of substitutes end that nobody has answered before the class."""
    carry_out("expire_substitutions", lambda: services.expire_substitutions(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def verify_attendance() -> None:
    """Hold the summaries of attendance against the marks, and mend those that differ."""
    carry_out("verify_attendance", lambda: sum(1 for _ in services.verify_summaries(at=timezone.now())))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def lock_sessions() -> None:
    """Lock the sheets of classes that are long over."""
    carry_out("lock_sessions", lambda: services.lock_sessions(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def weigh_punches() -> None:
    """Mark by what readers saw of which the class has become known since."""
    carry_out("weigh_punches", lambda: services.weigh_punches(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def decide_term(run_id: str) -> None:
    """Decide about everybody in a term, from where an earlier try stopped, on behalf of whoever asked for it."""
    pk, until = UUID(run_id), time.monotonic() + SECONDS_AT_A_TIME
    asked_by = DecisionRun.objects.filter(pk=pk).values_list("requested_by", flat=True).first()
    try:
        with acting_as(asked_by):
            is_unfinished = services.carry_on(pk, until=until)
    except Exception:
        services.fail_run(pk, at=timezone.now(), code="unexpected")
        raise
    if is_unfinished:
        decide_term.delay(run_id)
