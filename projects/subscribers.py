"""What this app does about events of its own: it lets people be told."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from core.events import subscribe
from projects.events import AllocationPublished
from projects.services.telling import tell_of_allocation


@subscribe(AllocationPublished)
def tell_whom_it_concerns(event: dict[str, Any]) -> None:
    tell_of_allocation(UUID(event["run_id"]), at=timezone.now())
