"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class AllocationPublished(Event):
    """The topics of a cycle are allocated: so many projects were made of it, for so many students."""

    name: ClassVar[str] = "projects.allocation.published"

    run_id: UUID
    cycle_id: UUID
    projects: int
    students: int
    happened_at: datetime
