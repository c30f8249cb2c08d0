"""What somebody does to single sessions: cancel them, and move them to another time or room."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from attendance.models import (
    AttendanceRecord,
    ClassSession,
    ClassSessionQuerySet,
    Marking,
    SessionStatus,
    Substitution,
    SubstitutionStatus,
)
from attendance.services.planning import called, campus_of, zone_of
from attendance.services.teaching import faculty_in_order, teachers_of
from core import crud
from core.db.locks import lock_named
from core.errors import ConflictError, InvalidError
from core.visibility import Actor
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


def lock_gatherings(ids: Iterable[UUID]) -> None:
    """Let nobody else change sessions that gather together, before any of them is locked."""
    for gathering in sorted(set(ids)):
        lock_named("attendance.gathering", str(gathering))


@transaction.atomic
def cancel_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str = "") -> ClassSession:
    """Let a section have no class that day; refused with `session_cancelled`, and `session_marked` once that is final.

    The room is free when no other section gathers there, and so is whoever teaches none of those that do.
    """
    _require_scheduled(session)
    if session.marking == Marking.LOCKED:
        raise SessionMarkedError
    crud.update(session, {"status": SessionStatus.CANCELLED, "changed_by_hand": True, "note": reason})
    left = list(_gathering(session).values_list("section", flat=True))
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
    return session


@transaction.atomic
def reschedule_session(
    session: ClassSession,
    *,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor | None,
    at: datetime,
    room: Room | None = None,
    reason: str = "",
) -> ClassSession:
    """Move a session, with all that gather there, to another time, into a room or, without one, out of any.

    Who substitutes there is wanted at the other time, and who has been asked to is asked about that one.
    Refused with `session_cancelled`, `session_marked`, `ends_before_start`, `session_too_long`, `outside_term`, and
    with `room_conflict` and `person_conflict`, which name both sides.
    """
    _require_scheduled(session)
    if ends_at <= starts_at:
        raise EndsBeforeStartError
    _require_near_term(session, starts_at, ends_at)
    gathered = list(_gathering(session).select_related("section__course", "section__campus").order_by("pk"))
    if any(row.marking != Marking.SCHEDULED for row in gathered) or _is_marked(gathered):
        raise SessionMarkedError
    sections = [row.section for row in gathered]
    what = called(sections)
    zone = zone_of(campus_of(room, sections))
    if room is None:
        release_rooms([session.gathering])
    else:
        reserve_room(
            room=room, starts_at=starts_at, ends_at=ends_at, kind=ReservationKind.CLASS, what=what,
            source=session.gathering,
        )  # fmt: skip
    teachers = teachers_of({session.gathering: [section.pk for section in sections]})[session.gathering]
    for faculty in faculty_in_order(teachers):
        reserve_faculty(
            faculty=faculty, starts_at=starts_at, ends_at=ends_at, kind=ReservationKind.CLASS, what=what,
            source=session.gathering,
        )  # fmt: skip
    columns = {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "local_date": _day_of(starts_at, zone),
        "room": room,
        "changed_by_hand": True,
        "note": reason,
    }
    for row in gathered:
        crud.update(session if row.pk == session.pk else row, columns)
    asked = Substitution.objects.filter(session__in=gathered, status=SubstitutionStatus.PROPOSED)
    # Whoever answers what they read before reads again.
    asked.update(version=F("version") + 1)
    return session


def _require_scheduled(session: ClassSession) -> None:
    if session.status != SessionStatus.SCHEDULED:
        raise SessionCancelledError


def _is_marked(sessions: Sequence[ClassSession]) -> bool:
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


def _gathering(session: ClassSession) -> ClassSessionQuerySet:
    return ClassSession.objects.filter(gathering=session.gathering, status=SessionStatus.SCHEDULED)
