"""What this app does about events: it wakes a worker for its own.

Tasks are named rather than imported: who hears an event needs to know that there is such a task,
not what it does.
"""

from typing import Any

from celery import current_app

from core.events import subscribe
from interop.events import ApplicationRequested, ExportRequested, ReversalRequested, ValidationRequested


@subscribe(ValidationRequested)
def let_a_worker_validate(event: dict[str, Any]) -> None:
    _wake("interop.tasks.validate_import", event)


@subscribe(ApplicationRequested)
def let_a_worker_apply(event: dict[str, Any]) -> None:
    _wake("interop.tasks.apply_import", event)


@subscribe(ReversalRequested)
def let_a_worker_take_back(event: dict[str, Any]) -> None:
    current_app.send_task("interop.tasks.take_import_back", args=[event["job_id"]])


@subscribe(ExportRequested)
def let_a_worker_make_the_table(event: dict[str, Any]) -> None:
    current_app.send_task("interop.tasks.make_export", args=[event["export_id"]])


def _wake(task: str, event: dict[str, Any]) -> None:
    # An event of an earlier release does not say who asked.
    current_app.send_task(task, args=[event["job_id"], event.get("requested_by")])
