"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class SessionReused(Event):
    """A refresh token that had been exchanged long ago came back: two parties hold it, and one of them is a thief."""

    name: ClassVar[str] = "accounts.session.reused"

    session_id: UUID
    user_id: UUID
    happened_at: datetime
