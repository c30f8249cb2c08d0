"""Marks that were made while nothing could be reached, and come when that is over.

The rule: of two who mark one student the later wins, by the instants at which they marked; what a machine or an import
says gives way to both, whenever it came. A mark that was made on the sheet as it still is wins whatever its instant, so
that a slow clock costs nobody their work; nor does it when the class had not begun by it. What does not win is told by
line, with what stands. A device names each mark; one that comes again is answered as it was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from attendance.models import ClassSession, Marking, OfflineMark, OfflineOutcome, Source
from attendance.services import sheets
from attendance.services.by_hand import ExcuseRequiredError, excusable, needs_excuse
from attendance.services.marking import RosterMismatchError, code_faults, late_code, obstacles, own_marking
from core.errors import ConflictError, DomainError, InvalidError
from core.privacy.retention import spared
from core.visibility import Actor
from enrollment.models import Enrollment
from students.selectors import in_person

# How far ahead the clock of a device may be.
AHEAD = timedelta(minutes=5)
# How far behind it may be, so that a class had begun by then after all.
BEHIND = timedelta(days=1)
# For how long a device may go on sending what it has sent.
KEPT = timedelta(days=180)


class SessionUnknownError(InvalidError):
    """There is no such session for whoever sends the mark."""

    code = "does_not_exist"
    title = "There is no such row."
    field = "session"


class MadeInFutureError(InvalidError):
    """The clock of the device is ahead: nobody could say what was marked later."""

    code = "made_in_future"
    title = "The mark was made in the future."
    field = "made_at"


class ClientIdReusedError(ConflictError):
    """The device calls two different marks by one name."""

    code = "client_id_reused"
    title = "Another mark of this name was sent before."
    field = "client_id"


@dataclass(frozen=True, kw_only=True)
class QueuedMark:
    """One mark as a device made it, on the version of the session that it had read."""

    client_id: UUID
    session: UUID
    enrollment: UUID
    code: str
    made_at: datetime
    version: int
    minutes_late: int | None = None

    @property
    def key(self) -> sheets.Key:
        return self.session, self.enrollment


@dataclass
class LineOutcome:
    """What became of a mark, whether that was said before, and with what the student is marked now."""

    mark: QueuedMark
    outcome: str = ""
    replayed: bool = False
    error: DomainError | None = None
    standing: str | None = None
    standing_since: datetime | None = None


@transaction.atomic
def sync_marks(
    marks: Sequence[QueuedMark], sessions: Mapping[UUID, ClassSession], *, by: Actor, at: datetime
) -> list[LineOutcome]:
    """Write the marks that win over what stands in locked sessions; return what became of each, in order.

    Refused line by line with what a sheet refuses, judged at the instant of the mark, or as much later as its clock may
    be behind; with `does_not_exist`, `made_in_future` and `client_id_reused`. A line that is there twice counts once.
    """
    desk = _Desk(sessions, [mark.enrollment for mark in marks], by, at)
    names = [mark.client_id for mark in marks]
    known = {row.client_id: row for row in OfflineMark.objects.filter(user=by.pk, client_id__in=names)}
    outcomes = [LineOutcome(mark) for mark in marks]
    fresh: dict[UUID, LineOutcome] = {}
    for each in outcomes:
        before = known.get(each.mark.client_id)
        if before is not None and _is_same(before, each.mark):
            each.outcome, each.replayed = before.outcome, True
        elif each.mark.client_id in fresh and fresh[each.mark.client_id].mark == each.mark:
            each.replayed = True
        elif before is not None or each.mark.client_id in fresh:
            each.error = ClientIdReusedError()
        else:
            each.error = next(desk.faults(each.mark), None)
        if each.error is None and not each.replayed:
            fresh[each.mark.client_id] = each
    desk.decide(list(fresh.values()))
    for each in outcomes:
        if each.replayed and not each.outcome:
            each.outcome = fresh[each.mark.client_id].outcome
    OfflineMark.objects.bulk_create(_receipt(each, by) for each in fresh.values())
    desk.tell_what_stands(outcomes)
    return outcomes


def forget_offline_marks(at: datetime) -> int:
    """Forget what was answered to marks that no device sends any more."""
    return _old(at).delete()[0]


def offline_marks_due(at: datetime) -> int:
    """Count the answers that have had their time."""
    return _old(at).count()


def _old(at: datetime) -> QuerySet[OfflineMark]:
    return spared(OfflineMark.objects.filter(created_at__lt=at - KEPT), "enrollment__student__person")


class _Desk:
    """The sheets that the marks of one device are about."""

    def __init__(
        self, sessions: Mapping[UUID, ClassSession], enrollments: Collection[UUID], by: Actor, at: datetime
    ) -> None:
        self._sessions, self._by, self._at = sessions, by, at
        self._codes = sheets.codes_by_name()
        found = Enrollment.objects.filter(pk__among=list(enrollments))
        self._students = set(found.values_list("student", flat=True))
        self._lines = self._read()
        self._of_session: dict[UUID, list[sheets.Line]] = {}
        for line in self._lines.values():
            self._of_session.setdefault(line.session, []).append(line)

    def _read(self) -> dict[sheets.Key, sheets.Line]:
        """Read whom the marks and the device are of, and everybody where a sheet is about to be opened."""
        own = set(in_person(self._by))
        opened = [row for row in self._sessions.values() if row.marking != Marking.SCHEDULED]
        closed = [row for row in self._sessions.values() if row.marking == Marking.SCHEDULED]
        return {**sheets.lines_of(opened, students=self._students | own), **sheets.lines_of(closed)}

    def faults(self, mark: QueuedMark) -> Iterator[DomainError]:
        """Say why a mark cannot be made, judged at the instant at which it was."""
        if mark.session not in self._sessions:
            yield SessionUnknownError()
            return
        if mark.made_at > self._at + AHEAD:
            yield MadeInFutureError()
        yield from obstacles(self._sessions[mark.session], max(mark.made_at, min(self._at, mark.made_at + BEHIND)))
        yield from own_marking(self._of_session.get(mark.session, []), self._by, Source.MANUAL)
        if mark.key not in self._lines:
            yield RosterMismatchError(field="enrollment")
        yield from code_faults(mark.code, self._codes, "code", mark.minutes_late)
        line = self._lines.get(mark.key)
        if line is not None and needs_excuse(line, mark.code, self._codes) and line.student not in self._excusable:
            yield ExcuseRequiredError(field="code")

    @cached_property
    def _excusable(self) -> set[UUID]:
        return excusable(self._students, self._by)

    def decide(self, fresh: Sequence[LineOutcome]) -> None:
        """Find which marks win, write them, and say what became of each."""
        latest: dict[sheets.Key, LineOutcome] = {}
        for each in sorted(fresh, key=lambda one: one.mark.made_at):
            if each.mark.key in latest:
                latest[each.mark.key].outcome = OfflineOutcome.SUPERSEDED
            latest[each.mark.key] = each
        wanted: dict[sheets.Key, sheets.Made] = {}
        for key, each in latest.items():
            made = self._made(each.mark)
            if self._wins(each.mark, made):
                wanted[key] = made
            else:
                each.outcome = OfflineOutcome.CONFLICT
        concerned = {session for session, _ in wanted}
        touched = {key: line for key, line in self._lines.items() if key[0] in concerned}
        kept = set(sheets.put(touched, wanted, self._sessions, self._codes, at=self._at).kept)
        for key in wanted:
            latest[key].outcome = OfflineOutcome.KEPT if key in kept else OfflineOutcome.APPLIED

    def tell_what_stands(self, outcomes: Sequence[LineOutcome]) -> None:
        """Say of every mark that found its student with what these are marked now."""
        names = {code.pk: name for name, code in self._codes.items()}
        lines = sheets.lines_of(list(self._sessions.values()), students=self._students)
        for each in outcomes:
            line = lines.get(each.mark.key)
            if line is not None and line.mark.code is not None:
                each.standing, each.standing_since = names[line.mark.code], line.mark.marked_at

    def _made(self, mark: QueuedMark) -> sheets.Made:
        common = sheets.marked_by(Source.MANUAL, self._by, min(mark.made_at, self._at), mark.client_id)
        return sheets.Made(late_code(mark.code, mark.minutes_late, self._codes).pk, mark.minutes_late, **common)

    def _wins(self, mark: QueuedMark, made: sheets.Made) -> bool:
        standing = self._lines[mark.key].own
        is_later = standing.marked_at is None or standing.marked_at <= mark.made_at
        outranks = made.rank > standing.rank
        return is_later or outranks or mark.version == self._sessions[mark.session].version or made.says(standing)


def _is_same(row: OfflineMark, mark: QueuedMark) -> bool:
    said = (row.session_id, row.enrollment_id, row.code, row.minutes_late, row.made_at, row.made_on)
    return said == (*mark.key, mark.code, mark.minutes_late, mark.made_at, mark.version)


def _receipt(each: LineOutcome, by: Actor) -> OfflineMark:
    mark = each.mark
    return OfflineMark(
        user_id=by.pk, client_id=mark.client_id, session_id=mark.session, enrollment_id=mark.enrollment,
        code=mark.code, minutes_late=mark.minutes_late, made_at=mark.made_at, made_on=mark.version,
        outcome=each.outcome,
    )  # fmt: skip
