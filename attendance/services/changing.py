"""What somebody does to single sessions: cancel them, and move them to another time or room.

Whoever does holds the name of the gathering first, and then all of its sessions in the order of their ids, in which
everybody locks sessions who marks in several of them.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from attendance.events import SessionCancelled, SessionRescheduled
from attendance.models import (
    AttendanceRecord,
    ClassSession,
    Marking,
    SessionStatus,
    Substitution,
    SubstitutionStatus,
)
from attendance.services.closed_terms import require_open_term
from attendance.services.own_classes import may_not_take
from attendance.services.planning import called, campus_of, zone_of
from attendance.services.teaching import faculty_in_order, teachers_of
from attendance.services.window_ends import end_check_in
from core import crud
from core.db.locks import lock_named
from core.errors import ConflictError, InvalidError
from core.events import publish
from core.visibility import Actor
from courses.models import Section
from departments.models import ReservationKind, Room
from departments.services import release_rooms, reserve_room
from faculty.services import release_faculty, reserve_faculty


class SessionCancelledError(ConflictError):
    """A session that does not take place cannot be moved, nor cancelled again."""

    code = "session_cancelled"
    title = "The session is cancelled."
    field = "status"


class SessionMarkedError(ConflictError):
    """Who was there has been written down, for the day on which it was."""

    code = "session_marked"
    title = "The students of this session, or of one that gathers with it, are being marked or have been."
    field = "marking"


class CancellingReasonError(InvalidError):
    """Marks would count no more, and nobody says why."""

    code = "reason_required"
    title = "Say why a session is cancelled in which students are being marked, or have been."
    field = "reason"


class EndsBeforeStartError(InvalidError):
    """The session would end before it begins."""

    code = "ends_before_start"
    title = "A session ends after it begins."
    field = "ends_at"


class OutsideTermError(InvalidError):
    """The session would be more than a year away from the term of its section."""

    code = "outside_term"
    title = "A session takes place within a year of its term."
    field = "starts_at"


# Classes are made up after their term ended, but not in another century: that is a slip of the pen.
MARGIN = timedelta(days=366)
# What says of the room that it is the one which the class has, or had.
AS_IT_WAS: Any = object()


def lock_gatherings(ids: Iterable[UUID]) -> None:
    """Let nobody else change sessions that gather together, before any of them is locked."""
    for gathering in sorted(set(ids)):
        lock_named("attendance.gathering", str(gathering))


def lock_gathered(ids: Iterable[UUID]) -> None:
    """Let nobody else change sessions that gather together, nor mark in them, until the transaction ends."""
    gatherings = set(ids)
    lock_gatherings(gatherings)
    rows = ClassSession.objects.filter(gathering__in=gatherings).order_by("pk").select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))


@transaction.atomic
def cancel_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str = "") -> ClassSession:
    """Let a section have no class that day; refused with `session_cancelled`, `term_closed`, or `session_marked`.

    A locked sheet is marked for good. What else was marked counts no more, so that a reason is asked for
    (`reason_required`), and whoever takes the section does not do it (`self_marking`). The room is free when no other
    section gathers there, and so is whoever teaches none of those that do.
    """
    others = gathered_now(session)
    _require_scheduled(session)
    require_open_term(session)
    may_not_take([session], by=by)
    if session.marking == Marking.LOCKED:
        raise SessionMarkedError
    if not reason.strip() and (session.marking != Marking.SCHEDULED or is_marked([session])):
        raise CancellingReasonError
    crud.update(session, {"status": SessionStatus.CANCELLED, "changed_by_hand": True, "note": reason})
    end_check_in(session, at=at)
    _release(session, [row.section_id for row in others], at)
    publish(SessionCancelled.of(session, at))
    return session


def _release(session: ClassSession, left: Sequence[UUID], at: datetime) -> None:
    """Give back the room and the teachers of a session that does not take place; `left` are the sections that do."""
    if not left:
        release_rooms([session.gathering])
        release_faculty([session.gathering], at=at)
    else:
        served = {session.gathering: [*left, session.section_id]}
        theirs = teachers_of(served)[session.gathering]
        if session.substitute_id:
            theirs.add(session.substitute_id)
        free = theirs - teachers_of({session.gathering: left})[session.gathering]
        release_faculty([session.gathering], at=at, faculty=sorted(free))


@transaction.atomic
def reschedule_session(
    session: ClassSession,
    *,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor | None,
    at: datetime,
    room: Room | None = AS_IT_WAS,
    reason: str = "",
) -> ClassSession:
    """Move a session, with all that gather there, to another time, and to another room or, with None, out of any.

    Who substitutes there is wanted at the other time, and who has been asked to is asked about that one.
    Refused with `session_cancelled`, `session_marked`, `ends_before_start`, `session_too_long`, `outside_term`,
    `term_closed`, with `self_marking` to whoever takes one of the sections, and with `room_conflict` and
    `person_conflict`, which name both sides.
    """
    others = gathered_now(session)
    _require_scheduled(session)
    require_open_term(session)
    if ends_at <= starts_at:
        raise EndsBeforeStartError
    _require_near_term(session, starts_at, ends_at)
    gathered = [session, *others]
    may_not_take(gathered, by=by)
    if any(row.marking != Marking.SCHEDULED for row in gathered) or is_marked(gathered):
        raise SessionMarkedError
    room = session.room if room is AS_IT_WAS else room
    zone = zone_of(campus_of(room, sections_in_order(gathered)))
    before = {row.pk: row.starts_at for row in gathered}
    columns = {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "local_date": _day_of(starts_at, zone),
        "room": room,
        "changed_by_hand": True,
        "note": reason,
    }
    for row in gathered:
        crud.update(row, columns)
    want(gathered)
    asked = Substitution.objects.filter(session__in=gathered, status=SubstitutionStatus.PROPOSED)
    # Whoever answers what they read before reads again.
    asked.update(version=F("version") + 1)
    for row in gathered:
        publish(SessionRescheduled.moved(row, before[row.pk], at))
    return session


def want(gathered: Sequence[ClassSession], *, has_room: bool = False) -> None:
    """Take the room and the teachers of sessions that gather, which are at one time; without a room, none is held.

    With `has_room`, the room stays as it is. Refused with `room_conflict` and `person_conflict`.
    """
    first = gathered[0]
    sections = sections_in_order(gathered)
    taken: dict[str, Any] = {
        "starts_at": first.starts_at, "ends_at": first.ends_at, "kind": ReservationKind.CLASS,
        "what": called(sections), "source": first.gathering,
    }  # fmt: skip
    if first.room is not None and not has_room:
        reserve_room(room=first.room, **taken)
    elif first.room is None:
        release_rooms([first.gathering])
    teachers = teachers_of({first.gathering: [section.pk for section in sections]})[first.gathering]
    for faculty in faculty_in_order(teachers):
        reserve_faculty(faculty=faculty, as_before=has_room, **taken)


def sections_in_order(gathered: Iterable[ClassSession]) -> list[Section]:
    """Return the sections of sessions in the order in which the sessions are locked."""
    return [row.section for row in sorted(gathered, key=lambda row: row.pk)]


def gathered_now(session: ClassSession) -> list[ClassSession]:
    """Lock the sessions that take place together with one, and it among them; return the others."""
    lock_gathered([session.gathering])
    others = ClassSession.objects.filter(gathering=session.gathering, status=SessionStatus.SCHEDULED)
    return list(others.exclude(pk=session.pk).select_related("section__course", "section__campus").order_by("pk"))


def _require_scheduled(session: ClassSession) -> None:
    if session.status != SessionStatus.SCHEDULED:
        raise SessionCancelledError


def is_marked(sessions: Sequence[ClassSession]) -> bool:
    """Say whether anybody is marked: an excuse marks without beginning a sheet, and for this time alone."""
    days = {row.local_date for row in sessions}
    return AttendanceRecord.objects.filter(session__in=sessions, local_date__in=days).exists()


def _require_near_term(session: ClassSession, starts_at: datetime, ends_at: datetime) -> None:
    term = session.section.term
    if term.starts_on - starts_at.date() > MARGIN or ends_at.date() - term.ends_on > MARGIN:
        raise OutsideTermError


def _day_of(starts_at: datetime, zone: ZoneInfo) -> date:
    try:
        return starts_at.astimezone(zone).date()
    except OverflowError as error:  # Of a term at either end of time, which has no day there.
        raise OutsideTermError from error
