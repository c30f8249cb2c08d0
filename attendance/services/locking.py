"""What makes sheets final, and lets somebody who answers for it open one after all.

A locked sheet is marked by nobody, from whatever source. Whoever has to correct it unlocks it and says why; the reason
stays in the history of the session, with who gave it. What the policy locks after some days is locked again that night.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from attendance.events import SessionLocked, SessionReopened
from attendance.models import ClassSession, Marking, SessionStatus
from attendance.services.changing import SessionCancelledError
from attendance.services.closed_terms import require_open_term
from attendance.services.covering import excuse_missed
from attendance.services.marking import SessionNotBegunError
from attendance.services.window_ends import end_check_in
from core import crud
from core.errors import ConflictError
from core.events import publish, publish_all
from core.visibility import Actor

BATCH = 500
# Of the policy that is the section's: none of a program, whose students sit among others.
_DUE = """
    SELECT s.id
    FROM attendance_classsession s
    JOIN courses_section c ON c.id = s.section_id
    JOIN attendance_attendancepolicy p ON p.id = attendance_policy_of(c.id, NULL) AND p.lock_after IS NOT NULL
    WHERE s.status = 'scheduled' AND s.marking <> 'locked'
        AND s.ends_at <= %(at)s - make_interval(days => p.lock_after)
    ORDER BY s.id
"""


class SessionNotLockedError(ConflictError):
    """There is nothing to unlock."""

    code = "session_not_locked"
    title = "The attendance of this session is not locked."
    field = "marking"


@transaction.atomic
def lock_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str = "") -> ClassSession:
    """Make the sheet of a session final, with those who are excused; of a locked one nothing changes.

    Refused with `session_cancelled` or `session_not_begun`.
    """
    if session.status == SessionStatus.CANCELLED:
        raise SessionCancelledError
    if session.starts_at > at:
        raise SessionNotBegunError(meta={"starts_at": session.starts_at.isoformat()})
    if session.marking == Marking.LOCKED:
        return session
    excuse_missed([session], at=at)
    crud.update(session, {"marking": Marking.LOCKED, "lock_note": reason})
    end_check_in(session, at=at)
    publish(SessionLocked.of(session, at))
    return session


@transaction.atomic
def unlock_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str) -> ClassSession:
    """Make a locked sheet a closed one, for whoever has something to correct.

    Refused with `session_not_locked`, and with `term_closed`, since nobody could correct it.
    """
    if session.marking != Marking.LOCKED:
        raise SessionNotLockedError
    require_open_term(session)
    crud.update(session, {"marking": Marking.CLOSED, "lock_note": reason})
    publish(SessionReopened.of(session, at))
    return session


def lock_sessions(*, at: datetime) -> int:
    """Lock what the policies lock by now, with those who are excused, in closed terms as well; return how many sheets.

    By hundreds, each of them a transaction, so that nobody who marks waits for all of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"at": at})
        due = [pk for (pk,) in cursor.fetchall()]
    return sum(_lock(due[start : start + BATCH], at) for start in range(0, len(due), BATCH))


def lock_ended(ids: Sequence[UUID], *, by: Actor | None, at: datetime, reason: str = "") -> int:
    """Make the sheets of those of these sessions final that are over, with those who are excused; return how many.

    What is cancelled or locked already is left as it is. By hundreds, as the nightly run does.
    """
    return sum(_lock(ids[start : start + BATCH], at, reason) for start in range(0, len(ids), BATCH))


@transaction.atomic
def _lock(ids: Sequence[UUID], at: datetime, reason: str = "") -> int:
    # What somebody has cancelled or locked meanwhile, or moved to a later time, is not what was found.
    open_ones = ClassSession.objects.filter(pk__in=ids, status=SessionStatus.SCHEDULED, ends_at__lte=at)
    rows = list(open_ones.exclude(marking=Marking.LOCKED).order_by("pk").select_for_update(no_key=True))
    excuse_missed(rows, at=at)
    locked = ClassSession.objects.filter(pk__in=[row.pk for row in rows])
    publish_all(SessionLocked.of(row, at) for row in rows)
    return locked.update(
        marking=Marking.LOCKED, lock_note=reason, version=F("version") + 1, updated_at=Now()
    )  # fmt: skip
