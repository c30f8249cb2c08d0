"""What this app does about events: it wakes a worker for its own."""

from typing import Any

from celery import current_app

from core.events import subscribe
from privacy.events import ErasureApproved, ExportRequested


@subscribe(ExportRequested)
def let_a_worker_put_it_together(event: dict[str, Any]) -> None:
    current_app.send_task("privacy.tasks.make_export", args=[event["export_id"]])


@subscribe(ErasureApproved)
def let_a_worker_erase(event: dict[str, Any]) -> None:
    current_app.send_task("privacy.tasks.erase", args=[event["erasure_id"]])
