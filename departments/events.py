"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class CalendarChanged(Event):
    """The calendar says something else of some days, both ends included: what it says now, or what it said before."""

    name: ClassVar[str] = "departments.calendar.changed"

    calendar_event_id: UUID
    kind: str
    campus_id: UUID | None
    starts_on: str
    ends_on: str
    taught_as: int | None


@dataclass(frozen=True, kw_only=True)
class TermMoved(Event):
    """A term went from one state to another."""

    name: ClassVar[str] = "departments.term.moved"

    term_id: UUID
    from_state: str
    to_state: str
    happened_at: datetime
