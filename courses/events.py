"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class SectionMoved(Event):
    """A section went from one status to another."""

    name: ClassVar[str] = "courses.section.moved"

    section_id: UUID
    from_status: str
    to_status: str
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class SectionCancelled(Event):
    """A section will not take place; whoever is enrolled in it has to be released."""

    name: ClassVar[str] = "courses.section.cancelled"

    section_id: UUID
    actor_id: UUID | None
    reason: str
    happened_at: datetime
