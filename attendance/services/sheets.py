"""The sheets of sessions: who is on them and marked with what, read and written for many sessions at once.

Every mark goes through `put`, whoever makes it. It weighs sources against one another, and lets an approved excuse
cover a mark: what a teacher marks of somebody who is excused is kept beneath, for the day on which that is
revoked. A constant number of statements, for one session as for three hundred.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Case, F, Value, When

from attendance.models import AttendanceCode, AttendanceRecord, ClassSession, CoveredMark, ExcuseKind, Marking, Source
from attendance.models.excuses import CODE_OF
from attendance.models.sheets import EXPECTED as EXPECTED  # noqa: PLC0414 - whoever asks for sheets says it with this
from attendance.services.closed_terms import know_terms
from attendance.services.made import Made as Made  # noqa: PLC0414 - whoever writes sheets says it with this
from core.db.prepared import prepared, rows_of
from core.ids import new_id
from core.visibility import Actor

MARK = ["code", "minutes_late", "source", "marked_by", "marked_at", "client_id"]
# By which a student was seen to come, and nobody has said anything yet.
ARRIVALS = (Source.QR, Source.READER)
# One session and one enrolment.
Key = tuple[UUID, UUID]

# The dates name the months in which the database has to look for marks. Each mark is looked for by itself: a day that
# statistics do not know yet seems empty, and would be read whole, and compared with everybody.
_LINES = """
    SELECT s.id, e.id, e.student_id, t.person_id,
        r.code_id, r.minutes_late, coalesce(r.source, ''), r.marked_by_id, r.marked_at, r.client_id,
        u.excuse_id, u.code_id, u.minutes_late, coalesce(u.source, ''), u.marked_by_id, u.marked_at, u.client_id,
        x.id, x.kind, x.decided_by_id
    FROM attendance_classsession s
    JOIN enrollment_enrollment e ON e.section_id = s.section_id AND <expected>
    JOIN students_student t ON t.id = e.student_id
    LEFT JOIN LATERAL (
        SELECT code_id, minutes_late, source, marked_by_id, marked_at, client_id FROM attendance_attendancerecord
        WHERE session_id = s.id AND enrollment_id = e.id AND local_date = s.local_date AND local_date = ANY (%(days)s)
        LIMIT 1
    ) r ON true
    LEFT JOIN attendance_coveredmark u ON u.session_id = s.id AND u.enrollment_id = e.id
    LEFT JOIN LATERAL (
        SELECT id, kind, decided_by_id FROM attendance_excuserequest
        WHERE student_id = e.student_id AND status = 'approved' AND period && tstzrange(s.starts_at, s.ends_at)
        ORDER BY period LIMIT 1
    ) x ON true
    WHERE s.id = ANY (%(sessions)s) AND (%(students)s::uuid[] IS NULL OR e.student_id = ANY (%(students)s))
    ORDER BY s.id, e.id
""".replace("<expected>", EXPECTED)  # nosec B608 - made of constants

_RECORD = """
    INSERT INTO attendance_attendancerecord (
        id, session_id, section_id, local_date, enrollment_id,
        code_id, minutes_late, source, marked_by_id, marked_at, client_id
    )
    SELECT line.id, s.id, s.section_id, s.local_date, line.enrollment_id,
        made.code_id, made.minutes_late, made.source, made.marked_by_id, made.marked_at, made.client_id
    FROM unnest(%(ids)s::uuid[], %(sessions)s::uuid[], %(enrollments)s::uuid[], %(numbers)s::integer[])
        WITH ORDINALITY AS line (id, session_id, enrollment_id, number, place)
    JOIN unnest(
        %(code_id)s::uuid[], %(minutes_late)s::smallint[], %(source)s::varchar[], %(marked_by_id)s::uuid[],
        %(marked_at)s::timestamptz[], %(client_id)s::uuid[]
    ) WITH ORDINALITY AS made (code_id, minutes_late, source, marked_by_id, marked_at, client_id, number)
        ON made.number = line.number + 1
    JOIN attendance_classsession s ON s.id = line.session_id
    ORDER BY line.place
    ON CONFLICT (session_id, enrollment_id, local_date) DO UPDATE SET
        code_id = excluded.code_id, minutes_late = excluded.minutes_late, source = excluded.source,
        marked_by_id = excluded.marked_by_id, marked_at = excluded.marked_at, client_id = excluded.client_id,
        updated_at = statement_timestamp()
"""


@dataclass(frozen=True)
class Line:
    """Somebody who is expected in a session: how they are marked, and what an excuse covers or is to cover."""

    session: UUID
    enrollment: UUID
    student: UUID
    person: UUID
    mark: Made
    covered_by: UUID | None
    beneath: Made
    excuse: UUID | None
    kind: str | None
    excused_by: UUID | None

    @property
    def key(self) -> Key:
        return self.session, self.enrollment

    @property
    def own(self) -> Made:
        """What they are marked with, or would be if no excuse covered it."""
        return self.mark if self.covered_by is None else self.beneath


@dataclass
class Written:
    """What became of sheets: what everybody is marked with now, whose mark stayed, and which sessions were changed."""

    now: dict[Key, UUID | None]
    kept: list[Key]
    changed: set[UUID]


def codes_by_name() -> dict[str, AttendanceCode]:
    """Return everything that somebody can be marked with."""
    return {code.code: code for code in rows_of(AttendanceCode.objects.all())}


def lines_of(sessions: Collection[ClassSession], *, students: Collection[UUID] | None = None) -> dict[Key, Line]:
    """Return who is expected in sessions, all of them or these students, in one statement, once terms are known."""
    parameters: dict[str, Any] = {
        "sessions": [session.pk for session in sessions],
        "days": sorted({session.local_date for session in sessions}),
        "students": None if students is None else list(students),
    }
    # Whoever reads a sheet to mark on it asks of each session whether its term is over.
    know_terms(sessions)
    with prepared(_LINES, parameters, using=DEFAULT_DB_ALIAS) as cursor:
        rows = cursor.fetchall()
    lines = (_line(*row) for row in rows)
    return {line.key: line for line in lines}


def _line(session: UUID, enrollment: UUID, student: UUID, person: UUID, *rest: Any) -> Line:
    mark, covered_by, beneath, excuse = rest[:6], rest[6], rest[7:13], rest[13:]
    return Line(session, enrollment, student, person, Made(*mark), covered_by, Made(*beneath), *excuse)


def put(
    lines: Mapping[Key, Line],
    wanted: Mapping[Key, Made],
    sessions: Mapping[UUID, ClassSession],
    codes: Mapping[str, AttendanceCode],
    *,
    at: datetime,
) -> Written:
    """Write marks that were found to be in order, and the excuses that cover any of these lines.

    A mark that another one outranks stays out, and is told as kept. The sessions have to be locked.
    """
    marks: dict[Key, Made] = {}
    beneath: dict[Key, tuple[UUID, Made]] = {}
    kept: list[Key] = []
    for key, line in lines.items():
        made = wanted.get(key)
        standing, excuse = _excused(line, codes, at)
        if excuse is not None:
            covered = line.beneath if line.mark.source == Source.EXCUSE else line.mark
            if made is not None and not made.says(standing):
                kept.append(key)
                covered = made if made.replaces(covered) else covered
            if covered is not line.beneath or line.covered_by != excuse:
                beneath[key] = excuse, covered
            if not standing.says(line.mark) or line.mark.source != Source.EXCUSE:
                marks[key] = standing
        elif made is not None and made.replaces(line.mark):
            marks[key] = made
        elif made is not None and not made.says(line.mark):
            kept.append(key)
    record(marks)
    cover(beneath)
    changed = {session for session, _ in [*marks, *beneath]}
    _notice([*marks, *beneath], wanted, sessions)
    now = {key: marks[key].code if key in marks else line.mark.code for key, line in lines.items()}
    return Written(now=now, kept=kept, changed=changed)


def _excused(line: Line, codes: Mapping[str, AttendanceCode], at: datetime) -> tuple[Made, UUID | None]:
    """Return what an excuse marks somebody with, and which one; none where there is none."""
    if line.mark.source == Source.EXCUSE and line.covered_by is not None:
        return line.mark, line.covered_by
    code = codes.get(CODE_OF[ExcuseKind(line.kind)]) if line.kind else None
    if code is None or line.mark.source == Source.EXCUSE:
        return line.mark, None
    return Made(code.pk, source=Source.EXCUSE, marked_by=line.excused_by, marked_at=at), line.excuse


def record(marks: Mapping[Key, Made]) -> None:
    """Write marks as they are, in one statement. Section and date are those of the sessions, which are locked."""
    if not marks:
        return
    # Most students of a class are marked alike: what they are marked with is sent once.
    made = {id(each): each for each in marks.values()}
    numbers = {each: number for number, each in enumerate(made)}
    sent = [each.columns for each in made.values()]
    columns: dict[str, list[Any]] = {name: [each[name] for each in sent] for name in sent[0]}
    lines: dict[str, list[Any]] = {
        "ids": [new_id() for _ in marks],
        "sessions": [session for session, _ in marks],
        "enrollments": [enrollment for _, enrollment in marks],
        "numbers": [numbers[id(each)] for each in marks.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, {**columns, **lines})


def hold_summaries(enrollments: Collection[UUID]) -> None:
    """Hold what the marks of enrolments come to, and of those judged along, in everybody's order, until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT attendance_hold_summaries(attendance_judged_along(%s))", [sorted(enrollments)])


def forget(keys: Collection[Key], sessions: Mapping[UUID, ClassSession]) -> None:
    """Take away the marks by which one student is excused in these sessions: nobody has made another."""
    days = {sessions[session].local_date for session, _ in keys}
    rows = AttendanceRecord.objects.filter(
        session__in=[session for session, _ in keys], enrollment__in={enrollment for _, enrollment in keys},
        local_date__in=days, source=Source.EXCUSE,
    )  # fmt: skip
    rows.delete()


def kept_in(row: CoveredMark) -> Made:
    """Return the mark that a row keeps beneath an excuse."""
    return Made(row.code_id, row.minutes_late, row.source, row.marked_by_id, row.marked_at, row.client_id)


def cover(beneath: Mapping[Key, tuple[UUID, Made]]) -> None:
    """Keep marks beneath the excuses that cover them, in one statement."""
    CoveredMark.objects.bulk_create(
        (
            CoveredMark(session_id=session, enrollment_id=enrollment, excuse_id=excuse, **made.columns)
            for (session, enrollment), (excuse, made) in beneath.items()
        ),
        update_conflicts=True,
        unique_fields=["session", "enrollment"],
        update_fields=["excuse", *MARK, "updated_at"],
    )


def _notice(written: Iterable[Key], wanted: Mapping[Key, Made], sessions: Mapping[UUID, ClassSession]) -> None:
    """Count the changes of sheets that somebody might write over who has not read them.

    Arrivals are none: whoever marks outranks them whichever came first, and a default leaves them alone.
    """
    written, marked = list(written), {session for session, _ in wanted}
    told = {key[0] for key in written if key not in wanted or wanted[key].source not in ARRIVALS}
    opened = {pk for pk, _ in written if pk in marked and sessions[pk].marking == Marking.SCHEDULED}
    if told | opened:
        count_changes([sessions[pk] for pk in sorted(told | opened)], opened=marked)


def count_changes(sessions: Collection[ClassSession], *, opened: Collection[UUID] = (), reason: str = "") -> None:
    """Count a change of each of these locked sessions in one statement; with a reason, closed sheets say it."""
    opens = When(marking=Marking.SCHEDULED, pk__in=list(opened), then=Value(Marking.OPEN))
    says = {"lock_note": Case(When(marking=Marking.CLOSED, then=Value(reason)), default=F("lock_note"))}
    rows = ClassSession.objects.filter(pk__in=[session.pk for session in sessions])
    rows.update(version=F("version") + 1, marking=Case(opens, default=F("marking")), **(says if reason else {}))
    for session in sessions:
        session.version += 1
        if session.marking == Marking.SCHEDULED and session.pk in opened:
            session.marking = Marking.OPEN


def marked_by(source: Source, by: Actor | None, at: datetime, client_id: UUID | None = None) -> dict[str, Any]:
    """Return what the marks of one request have in common."""
    return {"source": source, "marked_by": by.pk if by else None, "marked_at": at, "client_id": client_id}
