"""What this app does about events: it wakes a worker for its own.

Tasks are named rather than imported: who hears an event needs to know that there is such a task,
not what it does.
"""

from typing import Any

from celery import current_app

from attendance.events import TermDecisionRequested
from core.events import subscribe


@subscribe(TermDecisionRequested)
def let_a_worker_decide(event: dict[str, Any]) -> None:
    current_app.send_task("attendance.tasks.decide_term", args=[event["run_id"]])
