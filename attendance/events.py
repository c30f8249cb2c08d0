"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class SessionClosed(Event):
    """The students of a session have been marked; what was corrected since it was closed before is as it is now."""

    name: ClassVar[str] = "attendance.session.closed"

    session_id: UUID
    section_id: UUID
    local_date: str
    marked: int
    unmarked: int
    happened_at: datetime
