"""What this app announces, to its own workers."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class MailDue(Event):
    """There are mails for these accounts whose time has come."""

    name: ClassVar[str] = "notifications.mail.due"

    user_ids: list[UUID]


@dataclass(frozen=True, kw_only=True)
class CallsDue(Event):
    """There is something that an endpoint is to be told now."""

    name: ClassVar[str] = "notifications.calls.due"

    endpoint_id: UUID
