"""Cancelling many classes at once: of a day on which a campus is closed, or of a week without its teacher."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from attendance.models import ClassSession
from attendance.services.changing import cancel_session
from core.errors import DomainError
from core.visibility import Actor


@dataclass(frozen=True)
class Cancelled:
    """What became of one class: cancelled, or why it takes place all the same."""

    session: ClassSession
    errors: Sequence[DomainError] = field(default=())


@transaction.atomic
def cancel_sessions(
    sessions: Sequence[ClassSession], *, by: Actor | None, at: datetime, reason: str
) -> list[Cancelled]:
    """Cancel classes, each judged by itself; what gathers with them has to be locked (`lock_gathered`).

    One is refused with what `cancel_session` refuses, and the others are cancelled.
    """
    return [_cancelled(session, by, at, reason) for session in sessions]


def _cancelled(session: ClassSession, by: Actor | None, at: datetime, reason: str) -> Cancelled:
    try:
        with transaction.atomic():
            return Cancelled(cancel_session(session, by=by, at=at, reason=reason))
    except DomainError as refused:
        session.refresh_from_db(fields=["status", "note", "version"])
        return Cancelled(session, refused.violations)
