"""What marks the students of a session, and opens and closes the sheet on which they are.

A sheet is scheduled until somebody opens it or marks somebody, open while it is filled in, closed when that is done,
and may be opened again until it is locked. Everything happens under the lock of the session's row, and its version
counts what happened, so that of two who mark at once the second is told to read again.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from attendance.events import SessionClosed
from attendance.models import AttendanceCode, AttendanceRecord, ClassSession, Marking, SessionStatus, Source
from attendance.models.records import RANKS
from attendance.selectors import expected_in, sheet
from attendance.services.changing import SessionCancelledError
from core import crud
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.events import publish
from core.visibility import Actor

# Teachers are in the room before the class begins.
EARLY = timedelta(minutes=15)
WRITTEN = ["code", "minutes_late", "source", "marked_by", "marked_at", "client_id", "updated_at"]


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


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What one student is to be marked with."""

    enrollment: UUID
    code: str
    minutes_late: int | None = None


@dataclass(frozen=True, kw_only=True)
class Marked:
    """What became of a sheet: how many are marked with each code, and whose mark stayed since it outranks."""

    session: ClassSession
    counts: Mapping[str, int]
    unmarked: int
    kept: Sequence[UUID]


@dataclass(frozen=True)
class _Line:
    """Somebody who is expected, and what they are marked with so far."""

    enrollment: UUID
    code: UUID | None
    minutes_late: int | None
    source: str | None


@transaction.atomic
def open_session(session: ClassSession, *, by: Actor | None, at: datetime) -> ClassSession:
    """Open the sheet of a session, or open it again; of an open one nothing changes.

    Refused with `session_cancelled`, `session_locked` or `session_not_begun`.
    """
    raise_all(list(_obstacles(session, at, to_open=True)))
    return crud.update(session, {"marking": Marking.OPEN})


@transaction.atomic
def close_session(session: ClassSession, *, by: Actor | None, at: datetime) -> ClassSession:
    """Close the sheet of a session and announce it; of a closed one nothing changes.

    Whoever is not marked stays so. Refused with `session_cancelled`, `session_locked` or `session_not_open`.
    """
    raise_all(list(_obstacles(session, at, to_open=True)))
    if session.marking == Marking.SCHEDULED:
        raise SessionNotOpenError
    if session.marking == Marking.CLOSED:
        return session
    marked = sheet(session).filter(mark__isnull=False).count()
    crud.update(session, {"marking": Marking.CLOSED})
    publish(
        SessionClosed(
            session_id=session.pk, section_id=session.section_id, local_date=session.local_date.isoformat(),
            marked=marked, unmarked=expected_in(session).count() - marked, happened_at=at,
        )
    )  # fmt: skip
    return session


@transaction.atomic
def mark_roster(
    session: ClassSession,
    *,
    marks: Sequence[Mark],
    by: Actor | None,
    at: datetime,
    default: str | None = None,
    client_id: UUID | None = None,
    source: Source = Source.MANUAL,
) -> Marked:
    """Mark the students of a session, all of them or none, in one statement.

    With a default, it is what everybody is marked with about whom there is no line. Without one they stay as they are,
    which is not marked at first. Refused with everything that is wrong at once: `session_cancelled`, `session_locked`,
    `session_closed`, `session_not_begun`; by line `duplicate_line`, `roster_mismatch`, `unknown_code` and
    `inactive_code`.
    """
    codes = {code.code: code for code in AttendanceCode.objects.all()}
    rows = sheet(session).values_list("pk", "mark__code", "mark__minutes_late", "mark__source")
    lines = {row[0]: _Line(*row) for row in rows}
    raise_all([*_obstacles(session, at), *_faults(marks, default, codes, lines.keys())])
    wanted = {} if default is None else {pk: Mark(enrollment=pk, code=default) for pk in lines}
    wanted |= {mark.enrollment: mark for mark in marks}
    changed = {pk: mark for pk, mark in wanted.items() if _differs(lines[pk], codes[mark.code].pk, mark)}
    kept = [pk for pk in changed if RANKS[Source(lines[pk].source or source)] > RANKS[source]]
    for pk in kept:
        del changed[pk]
    now_by = {pk: line.code for pk, line in lines.items()} | {pk: codes[mark.code].pk for pk, mark in changed.items()}
    if changed:
        common = {"source": source, "marked_by_id": by.pk if by else None, "marked_at": at, "client_id": client_id}
        _write(session, changed.values(), codes, common)
        _count(session)
    names = {code.pk: name for name, code in codes.items()}
    counts = Counter(names[code] for code in now_by.values() if code is not None)
    return Marked(session=session, counts=counts, unmarked=len(lines) - counts.total(), kept=sorted(kept))


def _obstacles(session: ClassSession, at: datetime, *, to_open: bool = False) -> Iterator[DomainError]:
    """Say why nobody is marked in the session now, or why its sheet is not to be opened."""
    if session.status == SessionStatus.CANCELLED:
        yield SessionCancelledError()
    if session.marking == Marking.LOCKED:
        yield SessionLockedError()
    if session.marking == Marking.CLOSED and not to_open:
        yield SessionClosedError()
    if session.starts_at - EARLY > at:
        yield SessionNotBegunError(meta={"starts_at": session.starts_at.isoformat()})


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
        yield from _code_faults(mark.code, codes, f"marks.{place}.code")
    if default is not None:
        yield from _code_faults(default, codes, "default")


def _code_faults(code: str, codes: Mapping[str, AttendanceCode], field: str) -> Iterator[DomainError]:
    if code not in codes:
        yield UnknownCodeError(field=field)
    elif not codes[code].is_active:
        yield InactiveCodeError(field=field)


def _differs(line: _Line, code: UUID, mark: Mark) -> bool:
    return (line.code, line.minutes_late) != (code, mark.minutes_late)


def _write(
    session: ClassSession, marks: Collection[Mark], codes: Mapping[str, AttendanceCode], common: Mapping[str, Any]
) -> None:
    of_session = {"session_id": session.pk, "section_id": session.section_id, "local_date": session.local_date}
    AttendanceRecord.objects.bulk_create(
        (
            AttendanceRecord(
                enrollment_id=mark.enrollment,
                code=codes[mark.code],
                minutes_late=mark.minutes_late,
                **of_session,
                **common,
            )
            for mark in marks
        ),
        update_conflicts=True,
        unique_fields=["session", "enrollment", "local_date"],
        update_fields=WRITTEN,
    )


def _count(session: ClassSession) -> None:
    """Let the version of a session count that its sheet was changed, and open it if nobody has."""
    if session.marking == Marking.SCHEDULED:
        crud.update(session, {"marking": Marking.OPEN})
    else:
        crud.touch(session)
