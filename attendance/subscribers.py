"""What this app does about events of its own: it wakes a worker, and lets people be told.

Tasks are named rather than imported: who hears an event needs to know that there is such a task,
not what it does.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from django.utils import timezone

from accounts.events import AccessEnded
from attendance import services
from attendance.events import TermDecisionRequested, ThresholdCrossed
from core.events import subscribe
from departments.events import CalendarChanged
from departments.models import CalendarEventKind


@subscribe(CalendarChanged)
def let_a_worker_follow_the_calendar(event: dict[str, Any]) -> None:
    """Have the classes of these days made or taken off at once: the night is too late for a holiday of today."""
    if event["kind"] != CalendarEventKind.NOTICE:
        days = [event["starts_on"], event["ends_on"], event["taught_as"]]
        current_app.send_task("attendance.tasks.generate_days", args=days)


@subscribe(TermDecisionRequested)
def let_a_worker_decide(event: dict[str, Any]) -> None:
    current_app.send_task("attendance.tasks.decide_term", args=[event["run_id"]])


@subscribe(ThresholdCrossed)
def tell_whom_it_concerns(event: dict[str, Any]) -> None:
    services.tell_of_crossing(
        UUID(event["enrollment_id"]),
        is_short=event["is_short"],
        threshold=event["threshold"],
        happened_at=datetime.fromisoformat(event["happened_at"]),
        at=timezone.now(),
    )


@subscribe(AccessEnded)
def end_the_calendar_feed(event: dict[str, Any]) -> None:
    services.end_feed(UUID(event["user_id"]), made_by=datetime.fromisoformat(event["happened_at"]), at=timezone.now())
