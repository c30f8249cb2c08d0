"""Marking the same students in many sessions at once, such as all of a week's excursion."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from attendance.models import ClassSession, Source
from attendance.services import sheets
from attendance.services.by_hand import Said, unbacked
from attendance.services.marking import (
    DuplicateLineError,
    RosterMismatchError,
    code_faults,
    late_code,
    obstacles,
    own_marking,
)
from core.errors import DomainError, raise_all
from core.visibility import Actor


@dataclass(frozen=True)
class SessionOutcome:
    """What became of one session: whom it concerned and whose mark stayed, or why nobody was marked in it."""

    session: ClassSession
    marked: int = 0
    kept: Sequence[UUID] = ()
    errors: Sequence[DomainError] = field(default=())


@transaction.atomic
def mark_sessions(
    sessions: Sequence[ClassSession],
    *,
    students: Sequence[UUID],
    code: str,
    by: Actor | None,
    at: datetime,
    minutes_late: int | None = None,
    best_effort: bool = False,
) -> list[SessionOutcome]:
    """Mark students in locked sessions with one code, in as many statements for one as for a hundred.

    All of it or nothing, refused with everything that a sheet refuses, under `sessions.<place>`: with
    `best_effort`, what is refused of one session keeps nobody from being marked in the others.
    """
    codes = sheets.codes_by_name()
    raise_all([*code_faults(code, codes, "code", minutes_late), *_twice(students)])
    lines = sheets.lines_of(sessions)
    by_session: dict[UUID, list[sheets.Line]] = {session.pk: [] for session in sessions}
    for line in lines.values():
        by_session[line.session].append(line)
    faults = {
        session.pk: [
            error.under(f"sessions.{place}") for error in _faults(session, by_session[session.pk], students, by, at)
        ]
        for place, session in enumerate(sessions)
    }
    fields = {session.pk: f"sessions.{place}.code" for place, session in enumerate(sessions)}
    at_field = {field: faults[pk] for pk, field in fields.items()}
    named = set(students)
    said = [Said(fields[line.session], line, code) for line in lines.values() if line.student in named]
    for error in unbacked(said, codes, by):
        at_field[error.field].append(error)
    if not best_effort:
        raise_all([error for errors in faults.values() for error in errors])
    common = sheets.marked_by(Source.MANUAL, by, at)
    made = sheets.Made(late_code(code, minutes_late, codes).pk, minutes_late, **common)
    wanted = {line.key: made for line in lines.values() if line.student in named and not faults[line.session]}
    open_lines = {key: line for key, line in lines.items() if not faults[line.session]}
    written = sheets.put(open_lines, wanted, {session.pk: session for session in sessions}, codes, at=at)
    return [_outcome(session, faults[session.pk], wanted, written.kept) for session in sessions]


def _outcome(
    session: ClassSession,
    errors: Sequence[DomainError],
    wanted: Mapping[sheets.Key, object],
    kept: Sequence[sheets.Key],
) -> SessionOutcome:
    concerned = sum(key[0] == session.pk for key in wanted)
    stayed = sorted(enrollment for pk, enrollment in kept if pk == session.pk)
    return SessionOutcome(session=session, marked=concerned - len(stayed), kept=stayed, errors=errors)


def _twice(students: Sequence[UUID]) -> Iterator[DomainError]:
    for place, student in enumerate(students):
        if student in students[:place]:
            yield DuplicateLineError(field=f"students.{place}")


def _faults(
    session: ClassSession, lines: Collection[sheets.Line], students: Sequence[UUID], by: Actor | None, at: datetime
) -> Iterator[DomainError]:
    yield from obstacles(session, at)
    yield from own_marking(lines, by, Source.MANUAL)
    expected = {line.student for line in lines}
    strangers = [str(student) for student in students if student not in expected]
    if strangers:
        yield RosterMismatchError(field="students", meta={"session": str(session.pk), "students": strangers})
