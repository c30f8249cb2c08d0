"""What this app does about events: it wakes workers for the mails and calls that are due.

Tasks are named rather than imported: who hears an event needs to know that there is such a task, not what it does.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from django.utils import timezone

from accounts.events import AccessEnded
from core.events import subscribe
from notifications.events import CallsDue, MailDue
from notifications.services import disable_personal


@subscribe(MailDue)
def let_workers_send(event: dict[str, Any]) -> None:
    for user_id in event["user_ids"]:
        current_app.send_task("notifications.tasks.send_mails", args=[user_id])


@subscribe(CallsDue)
def let_workers_call(event: dict[str, Any]) -> None:
    current_app.send_task("notifications.tasks.call_endpoint", args=[event["endpoint_id"]])


@subscribe(AccessEnded)
def switch_personal_webhooks_off(event: dict[str, Any]) -> None:
    made_by = datetime.fromisoformat(event["happened_at"])
    disable_personal(UUID(event["user_id"]), made_by=made_by, at=timezone.now())
