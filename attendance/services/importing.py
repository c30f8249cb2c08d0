"""What another system says of who was there: judged, written and taken back a thousand lines at a time.

What comes so is the weakest of the sources: it marks who was not marked or was by an import, lies beneath an excuse,
and leaves every other mark as it is. A constant number of statements, for one line as for a thousand.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import transaction

from attendance.models import AttendanceCode, ClassSession, Marking, SessionStatus, Source
from attendance.models.records import MOST_MINUTES
from attendance.services import sheets
from attendance.services.marking import (
    RosterMismatchError,
    SelfMarkingError,
    SessionLockedError,
    code_faults,
    late_code,
    obstacles,
)
from attendance.services.planning import campus_of, zone_of
from attendance.services.standing_marks import NOTHING, Standing, erase, standing_at
from core.duties import is_same
from core.errors import DomainError, InvalidError, raise_all
from core.visibility import Actor
from students.selectors import in_person

# Of a section: the instant at which a class begins, the time of day there, or the day alone.
Begin = datetime | date
Place = tuple[UUID, Begin]


class UnknownSessionError(InvalidError):
    """The section has no class then."""

    code = "unknown_session"
    title = "The section has no session that begins then."
    field = "starts_at"


class AmbiguousSessionError(InvalidError):
    """The section has several classes then, of which any could be meant."""

    code = "ambiguous_session"
    title = "The section has several sessions then; say by the instant which one is meant."
    field = "starts_at"


class LateBeyondADayError(InvalidError):
    """Minutes late that cannot be."""

    code = "late_out_of_range"
    title = f"Minutes late are a whole number up to {MOST_MINUTES}."
    field = "minutes_late"


@dataclass(frozen=True, kw_only=True)
class Report:
    """With what another system says that a student was marked in a session. Without minutes, none are known."""

    session: UUID
    student: UUID
    code: str
    minutes_late: int | None = None


@dataclass(frozen=True)
class Imported:
    """What became of a report: how the student is marked now, and whether that is what it says; or its refusal."""

    standing: Standing | None = None
    is_applied: bool = False
    refused: Sequence[DomainError] = ()


def sessions_at(places: Collection[Place]) -> dict[Place, ClassSession | DomainError]:
    """Return the session that each section has then, or why none can be told; of several, one that takes place."""
    days = {begin.date() if isinstance(begin, datetime) else begin for _, begin in places}
    # An instant may lie on another day where the campus is.
    near = {day + timedelta(days=away) for day in days for away in (-1, 0, 1) if date.min < day < date.max}
    rows = ClassSession.objects.filter(
        section__among={section for section, _ in places}, local_date__among=near
    ).select_related("section__campus", "room__building__campus")
    found: defaultdict[Place, list[ClassSession]] = defaultdict(list)
    for row in rows:
        local = row.starts_at.astimezone(zone_of(campus_of(row.room, [row.section]))).replace(tzinfo=None)
        for begin in (row.starts_at, local, row.local_date):
            found[row.section_id, begin].append(row)
    return {place: _one_of(found.get(place, [])) for place in places}


def _one_of(rows: Sequence[ClassSession]) -> ClassSession | DomainError:
    takes_place = [row for row in rows if row.status == SessionStatus.SCHEDULED] or rows
    if len(takes_place) > 1:
        return AmbiguousSessionError()
    return takes_place[0] if takes_place else UnknownSessionError()


@dataclass(frozen=True)
class Sheets:
    """The sheets of sessions as reports are judged by them: who of the students is expected, and is marked how."""

    sessions: Mapping[UUID, ClassSession]
    lines: Mapping[sheets.Key, sheets.Line]
    standings: Mapping[sheets.Key, Standing]
    codes: Mapping[str, AttendanceCode]
    own: Collection[UUID]

    @cached_property
    def _by_student(self) -> dict[tuple[UUID, UUID], sheets.Line]:
        return {(line.session, line.student): line for line in self.lines.values()}

    def standing(self, session: UUID, student: UUID) -> Standing | None:
        """Return how a student is marked in a session, if they are."""
        line = self._by_student.get((session, student))
        return None if line is None else self.standings.get(line.key)

    def is_excused(self, session: UUID, student: UUID) -> bool:
        """Say whether a mark of the student would lie beneath an excuse."""
        line = self._by_student.get((session, student))
        return line is not None and (line.excuse is not None or line.mark.source == Source.EXCUSE)

    def line_of(self, report: Report) -> sheets.Line:
        """Return the line of somebody who is expected."""
        return self._by_student[report.session, report.student]

    def faults(self, report: Report, at: datetime) -> list[DomainError]:
        """Return all that is wrong with a report."""
        found: list[DomainError] = list(obstacles(self.sessions[report.session], at))
        if report.session in self.own:
            found.append(SelfMarkingError(field="student"))
        if (report.session, report.student) not in self._by_student:
            found.append(RosterMismatchError(field="student"))
        return [*found, *mark_faults(report.code, report.minutes_late, self.codes)]


def mark_faults(code: str, minutes: int | None, codes: Mapping[str, AttendanceCode]) -> Iterator[DomainError]:
    """Say what is wrong with a mark by itself."""
    yield from code_faults(code, codes, "code", minutes)
    if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
        yield LateBeyondADayError()


def read_sheets(sessions: Collection[ClassSession], students: Collection[UUID], *, by: Actor | None) -> Sheets:
    """Read the lines of students in sessions, and in which of these sessions `by` is expected."""
    own = set(in_person(by))
    lines = sheets.lines_of(sessions, students={*students, *own})
    by_id = {session.pk: session for session in sessions}
    return Sheets(
        sessions=by_id,
        lines=lines,
        standings=standing_at([(*key, by_id[key[0]].local_date) for key in lines]),
        codes=sheets.codes_by_name(),
        own={line.session for line in lines.values() if is_same(by, people=[line.person])},
    )


def lock_marked(sessions: Iterable[UUID]) -> list[ClassSession]:
    """Lock sessions until the transaction ends, in the order of everybody who locks several."""
    rows = ClassSession.objects.filter(pk__among=sorted(sessions)).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


@transaction.atomic
def import_marks(found: Sheets, reports: Sequence[Report], *, by: Actor | None, at: datetime) -> list[Imported]:
    """Mark what reports say, each by itself, and return what became of each, in their order.

    `found` was read of sessions that are locked, and no two reports are of one student in one session. A report is
    refused with what a sheet refuses, `late_out_of_range` and `roster_mismatch` among it.
    """
    refused = [found.faults(report, at) for report in reports]
    common = sheets.marked_by(Source.IMPORT, by, at)
    wanted: dict[sheets.Key, sheets.Made] = {}
    for report, faults in zip(reports, refused, strict=True):
        if not faults:
            code = late_code(report.code, report.minutes_late, found.codes)
            wanted[found.line_of(report).key] = sheets.Made(code.pk, report.minutes_late, **common)
    sheets.put({key: found.lines[key] for key in wanted}, wanted, found.sessions, found.codes, at=at)
    now = standing_at([(*key, found.sessions[key[0]].local_date) for key in wanted])
    return [
        Imported(refused=faults) if faults else _outcome(now, found.line_of(report).key, wanted)
        for report, faults in zip(reports, refused, strict=True)
    ]


def _outcome(now: Mapping[sheets.Key, Standing], key: sheets.Key, wanted: Mapping[sheets.Key, sheets.Made]) -> Imported:
    return Imported(standing=now[key], is_applied=now[key].mark.says(wanted[key]))


@transaction.atomic
def take_marks_back(former: Mapping[UUID, sheets.Made], now: Mapping[UUID, Standing], *, reason: str) -> None:
    """Let marks that an import made, by the id of their record, be what they were before; `NOTHING` takes them away.

    What has been marked since from another source stays, and so does an excuse, beneath which the former mark goes.
    A closed sheet stays closed, and says for which reason it was changed all the same. Raises `session_locked`: what is
    final stays so.
    """
    imported = {pk: row for pk, row in now.items() if pk in former and row.mark.source == Source.IMPORT}
    sessions = {row.pk: row for row in lock_marked({row.session for row in imported.values()})}
    raise_all(
        [
            SessionLockedError(meta={"session": str(row.pk), "starts_at": row.starts_at.astimezone(UTC).isoformat()})
            for row in sessions.values()
            if row.marking == Marking.LOCKED
        ]
    )
    sheets.cover(
        {row.key: (row.excuse, former[pk]) for pk, row in imported.items() if row.excuse is not None}
    )  # fmt: skip
    bare = {pk: row for pk, row in imported.items() if row.excuse is None}
    # By two statements, each of which would hold the summaries in an order of its own.
    sheets.hold_summaries({row.enrollment for row in bare.values()})
    sheets.record({row.key: former[pk] for pk, row in bare.items() if former[pk] != NOTHING})
    erase([row for pk, row in bare.items() if former[pk] == NOTHING])
    sheets.count_changes(sessions.values(), reason=reason)


def as_kept(standing: Standing) -> dict[str, Any]:
    """Return a mark as JSON from which `made_of` makes it again."""
    return {"id": str(standing.pk), "version": standing.version, **standing.mark.columns}


def made_of(kept: Mapping[str, Any]) -> sheets.Made:
    """Return the mark that `as_kept` has kept, after it was read from JSON."""
    at = kept["marked_at"]
    code, marked_by, client = (UUID(kept[n]) if kept[n] else None for n in ("code_id", "marked_by_id", "client_id"))
    made_at = datetime.fromisoformat(at) if at else None
    return sheets.Made(code, kept["minutes_late"], kept["source"], marked_by, made_at, client)
