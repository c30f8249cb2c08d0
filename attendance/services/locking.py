"""What makes sheets final, and lets somebody who answers for it open one after all.

A locked sheet is marked by nobody, from whatever source. Whoever has to correct it unlocks it and says why; the reason
stays in the history of the session, with who gave it. What the policy locks after some days is locked again that night.
"""

from datetime import datetime

from django.db import connection, transaction

from attendance.models import ClassSession, Marking, SessionStatus
from attendance.services.changing import SessionCancelledError
from attendance.services.marking import SessionNotBegunError
from attendance.services.summaries import LASTING
from core import crud
from core.errors import ConflictError
from core.visibility import Actor

# Of the policy that is the section's: none of a program, whose students sit among others.
_LOCK = """
    UPDATE attendance_classsession s
    SET marking = 'locked', lock_note = '', version = s.version + 1, updated_at = statement_timestamp()
    FROM courses_section c
    JOIN departments_term t ON t.id = c.term_id AND t.state = ANY (%(states)s)
    JOIN attendance_attendancepolicy p ON p.id = attendance_policy_of(c.id, NULL) AND p.lock_after IS NOT NULL
    WHERE s.section_id = c.id AND s.status = 'scheduled' AND s.marking <> 'locked'
        AND s.ends_at <= %(at)s - make_interval(days => p.lock_after)
"""


class SessionNotLockedError(ConflictError):
    """There is nothing to unlock."""

    code = "session_not_locked"
    title = "The attendance of this session is not locked."
    field = "marking"


@transaction.atomic
def lock_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str = "") -> ClassSession:
    """Make the sheet of a session final; of a locked one nothing changes.

    Refused with `session_cancelled` or `session_not_begun`.
    """
    if session.status == SessionStatus.CANCELLED:
        raise SessionCancelledError
    if session.starts_at > at:
        raise SessionNotBegunError(meta={"starts_at": session.starts_at.isoformat()})
    if session.marking == Marking.LOCKED:
        return session
    return crud.update(session, {"marking": Marking.LOCKED, "lock_note": reason})


@transaction.atomic
def unlock_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str) -> ClassSession:
    """Make a locked sheet a closed one, for whoever has something to correct; refused with `session_not_locked`."""
    if session.marking != Marking.LOCKED:
        raise SessionNotLockedError
    return crud.update(session, {"marking": Marking.CLOSED, "lock_note": reason})


def lock_sessions(*, at: datetime) -> int:
    """Lock what the policies lock by now, in terms that last; return how many sheets there were."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"states": [str(state) for state in LASTING], "at": at})
        return int(cursor.rowcount)
