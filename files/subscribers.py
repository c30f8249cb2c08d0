"""What this app does about events: it wakes a worker to scan what was uploaded.

Tasks are named rather than imported: who hears an event needs to know that there is such a task, not what it does.
"""

from typing import Any

from celery import current_app

from core.events import subscribe
from files.events import ScanDue


@subscribe(ScanDue)
def let_a_worker_scan(event: dict[str, Any]) -> None:
    current_app.send_task("files.tasks.scan_content", args=[event["sha256"]])
