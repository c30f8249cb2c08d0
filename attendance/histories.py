"""What happened on the sheet of a session, as the log of changes has it: by whom, when, and why.

The log says of an update what was before and after it, of a deletion what was there, and of an insertion nothing: what
was inserted is what stands there now, less what was changed since. So every mark is read from its end. A mark that is
gone is found by its session, which counts a change in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import User
from attendance.models import AttendanceCode, AttendanceRecord, ClassSession, Marking
from audit.models import Change, Operation
from enrollment.models import Enrollment

SESSIONS, RECORDS = ClassSession._meta.db_table, AttendanceRecord._meta.db_table
# What is told of a session: the rest of its row follows from it, or is told by its marks.
TOLD = ("status", "marking", "starts_at", "ends_at", "room_id", "substitute_id")
SAID = ("lock_note", "note")
OF_A_MARK = ("code_id", "minutes_late", "source", "marked_by_id")
# What one says why about on a sheet: that it was made final, or is changed after it was said to be done.
_REASONED = (Marking.CLOSED, Marking.LOCKED)
_PLANNED = ("status", "starts_at", "ends_at", "room_id", "note")

# Beyond which no transaction lasts that writes marks.
LONGEST = timedelta(hours=1)

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a student was marked with then."""

    code: str
    minutes_late: int | None
    source: str
    marked_by: UUID | None


@dataclass(frozen=True, kw_only=True)
class SheetStep:
    """That a session changed, in what, and the reason that was given."""

    at: datetime
    actor: User | None
    changes: Mapping[str, Sequence[Any]]
    reason: str


@dataclass(frozen=True, kw_only=True)
class MarkStep:
    """That a student was marked, marked otherwise, or is marked no more; with the reason that stood on the sheet."""

    at: datetime
    actor: User | None
    enrollment: Enrollment
    before: Mark | None
    after: Mark | None
    reason: str


@dataclass(frozen=True)
class History:
    """What happened on a sheet, the latest step first."""

    session: ClassSession
    steps: Sequence[SheetStep]
    marks: Sequence[MarkStep]


@dataclass(frozen=True)
class _Written:
    """One change of a row, with what the row was before it and after it; None where there was no row."""

    change: Change
    before: Row | None
    after: Row | None

    def differs(self, names: Iterable[str]) -> bool:
        before, after = self.before, self.after
        return before is None or after is None or any(before[name] != after[name] for name in names)


def history_of(session: ClassSession) -> History:
    """Return what happened on the sheet of a session; a fixed number of statements, however many were marked."""
    of_sheet = _told(Change.objects.filter(table_name=SESSIONS, row_id=str(session.pk)), [_plain(session)])
    records = AttendanceRecord.objects.filter(session=session, local_date=session.local_date)
    now = [_plain(record) for record in records]
    ids = [row["id"] for row in now] + _gone(session, of_sheet)
    of_marks = _told(Change.objects.filter(table_name=RECORDS, row_id__in=ids), now)
    people = User.objects.in_bulk({each.change.actor_id for each in (*of_sheet, *of_marks)} - {None})
    enrollments = {_either(each)["enrollment_id"] for each in of_marks}
    named = Enrollment.objects.select_related("student__person").in_bulk(enrollments)
    codes = {str(pk): code for pk, code in AttendanceCode.objects.values_list("pk", "code")}
    marks = [
        MarkStep(
            at=each.change.at,
            actor=people.get(each.change.actor_id),
            enrollment=named[UUID(_either(each)["enrollment_id"])],
            before=_mark(each.before, codes),
            after=_mark(each.after, codes),
            reason=_standing(of_sheet, each.change),
        )
        for each in of_marks
        if each.differs(OF_A_MARK)
    ]
    return History(session, list(_steps(of_sheet, people)), marks)


def _gone(session: ClassSession, of_sheet: Sequence[_Written]) -> list[str]:
    """Return the ids of the marks of a session that are there no more."""
    if not of_sheet:
        return []
    found = Change.objects.filter(
        table_name=RECORDS, operation=Operation.DELETE, changes__session_id__0=str(session.pk),
        xact__in={each.change.xact for each in of_sheet},
        # The months in which to look: a transaction writes the session before or after its marks.
        at__range=(of_sheet[-1].change.at - LONGEST, of_sheet[0].change.at + LONGEST),
    )  # fmt: skip
    return list(found.values_list("row_id", flat=True))


def _told(changes: Any, now: Iterable[Row]) -> list[_Written]:
    """Return changes, the latest first, each with its row before and after it; `now` are the rows that there are."""
    rows: defaultdict[str, Row | None] = defaultdict(lambda: None, {str(row["id"]): row for row in now})
    found = []
    for change in changes.order_by("-id"):
        after, changed = rows[change.row_id], change.changes or {}
        before: Row | None = {**(after or {}), **{name: values[0] for name, values in changed.items()}}
        if change.operation == Operation.INSERT:
            before = None
        elif change.operation == Operation.DELETE:
            after = None
        rows[change.row_id] = before
        found.append(_Written(change, before, after))
    return found


def _plain(row: Any) -> Row:
    """Return a row as the log writes it."""
    plain = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in plain.items()}


def _either(written: _Written) -> Row:
    return written.after or written.before or {}


def _mark(row: Row | None, codes: Mapping[str, str]) -> Mark | None:
    if row is None:
        return None
    code, minutes, source, marked_by = (row[name] for name in OF_A_MARK)
    author = None if marked_by is None else UUID(marked_by)
    return Mark(code=codes.get(code, ""), minutes_late=minutes, source=source, marked_by=author)


def _steps(of_sheet: Sequence[_Written], people: Mapping[UUID, User]) -> Iterator[SheetStep]:
    for each in of_sheet:
        changes = each.change.changes or {}
        if each.change.operation == Operation.INSERT or not changes.keys().isdisjoint((*TOLD, *SAID)):
            told = {name.removesuffix("_id"): values for name, values in changes.items() if name in TOLD}
            actor = None if each.change.actor_id is None else people.get(each.change.actor_id)
            yield SheetStep(at=each.change.at, actor=actor, changes=told, reason=_reason(changes, each.after or {}))


def _reason(changes: Mapping[str, Sequence[Any]], after: Row) -> str:
    """Return what was said with a step; the reason that a sheet says stays there until another one is given."""
    if "lock_note" in changes or changes.get("marking", [None])[0] in _REASONED:
        return str(after["lock_note"])
    return str(after["note"]) if not changes.keys().isdisjoint(_PLANNED) else ""


def _standing(of_sheet: Sequence[_Written], change: Change) -> str:
    """Return the reason that stood on a sheet when one of its marks was written, or was put there along with it."""
    for each in of_sheet:
        if each.change.xact == change.xact or each.change.id < change.id:
            return str(_either(each).get("lock_note", ""))
    return ""
