"""Bringing back a class that was cancelled, with whoever was marked in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from attendance.events import SessionReinstated
from attendance.models import ClassSession, SessionStatus
from attendance.services.changing import AS_IT_WAS, SessionMarkedError, gathered_now, is_marked, want
from attendance.services.closed_terms import require_open_term
from attendance.services.own_classes import may_not_take
from core import crud
from core.errors import ConflictError
from core.events import publish
from core.visibility import Actor
from courses.models import SectionStatus
from departments.models import Room
from enrollment.services import SectionCancelledError


class SessionNotCancelledError(ConflictError):
    """The class takes place."""

    code = "session_not_cancelled"
    title = "The session is not cancelled."
    field = "status"


@transaction.atomic
def reinstate_session(
    session: ClassSession, *, by: Actor | None, at: datetime, reason: str, room: Room | None = AS_IT_WAS
) -> ClassSession:
    """Let a cancelled class take place after all, in its room or another one, or without one; its marks count again.

    Where others that gather with it were not cancelled, it takes place when and where they do, and `room` says nothing.
    Refused with `session_not_cancelled`, `section_cancelled`, `term_closed`, `self_marking`, with `session_marked`
    where they have been moved since it was marked, and with `room_conflict` and `person_conflict`, which name both
    sides.
    """
    others = gathered_now(session)
    if session.status != SessionStatus.CANCELLED:
        raise SessionNotCancelledError
    if session.section.status == SectionStatus.CANCELLED:
        raise SectionCancelledError
    require_open_term(session)
    may_not_take([session], by=by)
    back = {"status": SessionStatus.SCHEDULED, "changed_by_hand": True, "note": reason}
    crud.update(session, {**back, **_place(session, others, room)})
    # Of whoever substitutes there, its teachers follow from a session that takes place.
    want([session, *others], has_room=bool(others))
    publish(SessionReinstated.of(session, at))
    return session


def _place(session: ClassSession, others: Sequence[ClassSession], room: Room | None) -> dict[str, Any]:
    """Return when and where the class takes place, as far as that is not when and where it was to."""
    if not others:
        return {} if room is AS_IT_WAS else {"room": room}
    theirs = {name: getattr(others[0], name) for name in ("starts_at", "ends_at", "local_date", "room_id")}
    is_moved = any(getattr(session, name) != value for name, value in theirs.items() if name != "room_id")
    if is_moved and is_marked([session]):
        raise SessionMarkedError
    return theirs
