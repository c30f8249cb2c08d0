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


@dataclass(frozen=True, kw_only=True)
class AccessEnded(Event):
    """Everything by which an account was open has ended, as somebody else may have had it.

    Its owner has recovered it, or whoever administers accounts has ended its log-ins. Whatever opens something of an
    account beside these, by a secret of its own or without any, ends as well if it was there by then.
    """

    name: ClassVar[str] = "accounts.access.ended"

    user_id: UUID
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class IdentifierRevealed(Event):
    """Somebody read a protected identifier of a person in the clear, and said what for."""

    name: ClassVar[str] = "accounts.identifier.revealed"

    identifier_id: UUID
    person_id: UUID
    scheme: str
    revealed_by: UUID
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class MailRequested(Event):
    """The owner of an account is to be mailed something; what, its row says."""

    name: ClassVar[str] = "accounts.mail.requested"

    mail_id: UUID


@dataclass(frozen=True, kw_only=True)
class LogInLocked(Event):
    """So many wrong passwords were tried at an account, or at an address of none, that no other is for a while."""

    name: ClassVar[str] = "accounts.login.locked"

    user_id: UUID | None
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class LockoutsPiledUp(Event):
    """Many accounts are locked at one time: somebody tries passwords at all of them."""

    name: ClassVar[str] = "accounts.login.lockouts_piled_up"

    locked: int
    happened_at: datetime
