"""What marks the students of a session, and opens and closes the sheet on which they are.

A sheet is scheduled until somebody opens it or marks somebody, open while it is filled in, closed when that is done,
and may be opened again until it is locked. Everything happens under the lock of the session's row, and its version
counts what people did, so that of two who mark at once the second is told to read again. Students who come in
meanwhile, by a code or past a reader, change the sheet and not its version: nobody would ever finish otherwise.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from attendance.events import SessionClosed, SessionReopened
from attendance.models import AttendanceCode, ClassSession, Marking, SessionStatus, Source
from attendance.selectors import expected_in, sheet
from attendance.services import sheets
from attendance.services.by_hand import Said, unbacked
from attendance.services.changing import SessionCancelledError
from attendance.services.closed_terms import is_over, term_closed
from attendance.services.own_classes import SelfMarkingError as SelfMarkingError  # noqa: PLC0414 - it refuses marks
from attendance.services.window_ends import end_check_in
from core import crud
from core.duties import is_same
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.events import publish
from core.visibility import Actor

# Teachers are in the room before the class begins.
EARLY = timedelta(minutes=15)


class SessionLockedError(ConflictError):
    """The sheet is final."""

    code = "session_locked"
    title = "The attendance of this session is locked."
    field = "marking"


class SessionClosedError(ConflictError):
    """The sheet has been closed; who has something to correct opens it again."""

    code = "session_closed"
    title = "The attendance of this session is closed."
    field = "marking"


class SessionNotOpenError(ConflictError):
    """The sheet has never been opened, so there is nothing to close."""

    code = "session_not_open"
    title = "Nobody has opened the attendance of this session."
    field = "marking"


class ReopeningReasonError(InvalidError):
    """What was said to be done would be changed, and nobody says why."""

    code = "reason_required"
    title = "Say why a closed sheet is opened again."
    field = "reason"


class SessionNotBegunError(ConflictError):
    """The class is still to come."""

    code = "session_not_begun"
    title = "The session has not begun."
    field = "starts_at"


class DuplicateLineError(InvalidError):
    """Two lines are about one enrolment."""

    code = "duplicate_line"
    title = "An earlier line is about the same enrolment."


class RosterMismatchError(InvalidError):
    """The enrolment is in another section, or did not last while the session took place."""

    code = "roster_mismatch"
    title = "Nobody with this enrolment is expected in the session."


class UnknownCodeError(InvalidError):
    """There is no such code."""

    code = "unknown_code"
    title = "There is no such attendance code."


class InactiveCodeError(InvalidError):
    """The code is out of use."""

    code = "inactive_code"
    title = "This attendance code is out of use."


class LatenessNotApplicableError(InvalidError):
    """Nobody is absent or excused by minutes."""

    code = "lateness_not_applicable"
    title = "Minutes of lateness do not stand beside this attendance code."


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What one student is to be marked with."""

    enrollment: UUID
    code: str
    minutes_late: int | None = None


@dataclass(frozen=True, kw_only=True)
class Marked:
    """What became of a sheet: how many are marked with each code, and whose mark stayed since it outranks.

    `replaced` are those of whom a code or a reader had said something else, and `expected` all enrolments on the sheet.
    """

    session: ClassSession
    counts: Mapping[str, int]
    unmarked: int
    kept: Sequence[UUID]
    replaced: Sequence[UUID]
    expected: Collection[UUID]


@transaction.atomic
def open_session(session: ClassSession, *, by: Actor | None, at: datetime, reason: str = "") -> ClassSession:
    """Open the sheet of a session, or open it again, with those who are excused; of an open one nothing changes.

    Why a closed one is opened again stays in the history of the session: nobody changes a mark of it otherwise.
    Refused with `session_cancelled`, `session_locked`, `session_not_begun` or `term_closed`; a closed one with
    `reason_required`.
    """
    raise_all(list(obstacles(session, at, to_open=True)))
    is_closed = session.marking == Marking.CLOSED
    if is_closed and not reason.strip():
        raise ReopeningReasonError
    crud.update(session, {"marking": Marking.OPEN, **({"lock_note": reason.strip()} if is_closed else {})})
    sheets.put(sheets.lines_of([session]), {}, {session.pk: session}, sheets.codes_by_name(), at=at)
    if is_closed:
        publish(SessionReopened.of(session, at))
    return session


@transaction.atomic
def close_session(session: ClassSession, *, by: Actor | None, at: datetime) -> ClassSession:
    """Close the sheet of a session, and its check-in with it, and announce it; of a closed one nothing changes.

    Whoever is not marked stays so. Refused with `session_cancelled`, `session_locked`, `session_not_open` or
    `term_closed`.
    """
    raise_all(list(obstacles(session, at, to_open=True)))
    if session.marking == Marking.SCHEDULED:
        raise SessionNotOpenError
    if session.marking == Marking.CLOSED:
        return session
    marked = sheet(session).filter(mark__isnull=False).count()
    crud.update(session, {"marking": Marking.CLOSED})
    end_check_in(session, at=at)
    publish(
        SessionClosed(
            session_id=session.pk, section_id=session.section_id, local_date=session.local_date.isoformat(),
            marked=marked, unmarked=expected_in(session).count() - marked, happened_at=at,
        )
    )  # fmt: skip
    return session


@transaction.atomic(savepoint=False)
def mark_roster(
    session: ClassSession,
    *,
    marks: Sequence[Mark],
    by: Actor | None,
    at: datetime,
    default: str | None = None,
    client_id: UUID | None = None,
    source: Source = Source.MANUAL,
    students: Collection[UUID] | None = None,
) -> Marked:
    """Mark the students of a session, all of them or none, in one statement.

    With a default, it is what everybody is marked with about whom there is no line, but for those whom a code or a
    reader saw come. Without one they stay as they are, which is not marked at first. Whoever is excused is marked so,
    whatever is said of them. Refused with everything that is wrong at once: `session_cancelled`, `session_locked`,
    `session_closed`, `session_not_begun`, `term_closed`, `self_marking`; by line `duplicate_line`, `roster_mismatch`,
    `unknown_code`, `inactive_code`, `lateness_not_applicable` and `excuse_required`. With `students`, the sheet is read
    as if nobody else were on it, and so is what is told.
    """
    codes = sheets.codes_by_name()
    lines = sheets.lines_of([session], students=students)
    expected = {line.enrollment for line in lines.values()}
    seen = {line.enrollment: line.mark.code for line in lines.values() if line.mark.source in sheets.ARRIVALS}
    unseen = expected - seen.keys()
    raise_all(
        [
            *obstacles(session, at),
            *own_marking(lines.values(), by, source),
            *_faults(marks, default, codes, expected),
            *unbacked(_said(lines.values(), marks, default, unseen), codes, by),
        ]
    )
    named = {} if default is None else {pk: Mark(enrollment=pk, code=default) for pk in unseen}
    named |= {mark.enrollment: mark for mark in marks}
    common = sheets.marked_by(source, by, at, client_id)
    said = {
        (code, minutes): sheets.Made(late_code(code, minutes, codes).pk, minutes, **common)
        for code, minutes in {(mark.code, mark.minutes_late) for mark in named.values()}
    }
    wanted = {(session.pk, pk): said[mark.code, mark.minutes_late] for pk, mark in named.items()}
    written = sheets.put(lines if wanted else {}, wanted, {session.pk: session}, codes, at=at)
    now = written.now or {key: line.mark.code for key, line in lines.items()}
    names = {code.pk: name for name, code in codes.items()}
    counts = Counter(names[code] for code in now.values() if code is not None)
    kept = sorted(enrollment for _, enrollment in written.kept)
    by_hand = set() if source in sheets.ARRIVALS else seen.keys() & {mark.enrollment for mark in marks}
    return Marked(
        session=session, counts=counts, unmarked=len(lines) - counts.total(), kept=kept,
        replaced=sorted(pk for pk in by_hand if now[session.pk, pk] != seen[pk]), expected=expected,
    )  # fmt: skip


def obstacles(session: ClassSession, at: datetime, *, to_open: bool = False) -> Iterator[DomainError]:
    """Say why nobody is marked in the session now, or why its sheet is not to be opened."""
    if session.status == SessionStatus.CANCELLED:
        yield SessionCancelledError()
    if session.marking == Marking.LOCKED:
        yield SessionLockedError()
    if session.marking == Marking.CLOSED and not to_open:
        yield SessionClosedError()
    if session.starts_at - EARLY > at:
        yield SessionNotBegunError(meta={"starts_at": session.starts_at.isoformat()})
    if is_over(session):
        yield term_closed(session)


def own_marking(lines: Collection[sheets.Line], by: Actor | None, source: Source) -> Iterator[DomainError]:
    """Refuse whoever is on a sheet themselves; a reader or a code says of them what it saw."""
    if source == Source.MANUAL and is_same(by, people=(line.person for line in lines)):
        yield SelfMarkingError()


def late_code(code: str, minutes: int | None, codes: Mapping[str, AttendanceCode]) -> AttendanceCode:
    """Return what somebody is marked with who was so late: the code whose minutes have been reached, or that named."""
    reached = [each for each in codes.values() if each.is_active and each.late_from is not None]
    reached = [each for each in reached if minutes is not None and (each.late_from or 0) <= minutes]
    return max(reached, key=lambda each: each.late_from or 0, default=codes[code])


def code_faults(
    code: str, codes: Mapping[str, AttendanceCode], field: str, minutes: int | None = None
) -> Iterator[DomainError]:
    """Say what is wrong with a code, and with the minutes beside it."""
    if code not in codes:
        yield UnknownCodeError(field=field)
    elif not codes[code].is_active:
        yield InactiveCodeError(field=field)
    elif minutes is not None and not codes[code].takes_minutes:
        yield LatenessNotApplicableError(field=f"{field.removesuffix('code')}minutes_late")


def _said(
    lines: Iterable[sheets.Line], marks: Sequence[Mark], default: str | None, unseen: Collection[UUID]
) -> Iterator[Said]:
    """Yield with what each line of a sheet is to be marked."""
    named = {mark.enrollment: (f"marks.{place}.code", mark.code) for place, mark in enumerate(marks)}
    for line in lines:
        field, code = named.get(line.enrollment, ("default", default if line.enrollment in unseen else None))
        if code is not None:
            yield Said(field, line, code)


def _faults(
    marks: Sequence[Mark], default: str | None, codes: Mapping[str, AttendanceCode], expected: Collection[UUID]
) -> Iterator[DomainError]:
    """Say what is wrong with the lines of a sheet."""
    seen: set[UUID] = set()
    for place, mark in enumerate(marks):
        field = f"marks.{place}.enrollment"
        if mark.enrollment in seen:
            yield DuplicateLineError(field=field)
        elif mark.enrollment not in expected:
            yield RosterMismatchError(field=field)
        seen.add(mark.enrollment)
        yield from code_faults(mark.code, codes, f"marks.{place}.code", mark.minutes_late)
    if default is not None:
        yield from code_faults(default, codes, "default")
