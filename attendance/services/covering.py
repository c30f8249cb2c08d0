"""What approved excuses do to the marks of sessions: cover them, and bring back what they covered.

Who covers and who uncovers locks the sessions that the period overlaps before looking at anything, those to come as
well: whoever marks in one of them meanwhile either was earlier, and is seen, or waits and sees what was decided.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from attendance.models import (
    AttendanceCode,
    AttendanceRecord,
    ClassSession,
    CoveredMark,
    ExcuseKind,
    ExcuseRequest,
    ExcuseStatus,
    Marking,
    SessionStatus,
    Source,
)
from attendance.models.excuses import CODE_OF
from attendance.services import sheets
from attendance.services.closed_terms import is_over, require_open_term
from attendance.services.marking import SessionLockedError
from core.db.locks import hold_named
from enrollment.models import Enrollment

BATCH = 500
# What is older nobody is waiting for; whoever opens the sheet finds it.
LOOKS_BACK = timedelta(days=31)
_MISSED = """
    SELECT DISTINCT s.id
    FROM attendance_excuserequest x
    JOIN enrollment_enrollment e ON e.student_id = x.student_id
    JOIN attendance_classsession s ON s.section_id = e.section_id AND tstzrange(s.starts_at, s.ends_at) && x.period
    JOIN departments_term t ON t.id = e.term_id AND t.state NOT IN ('closed', 'archived')
    WHERE <expected> AND x.status = 'approved' AND x.period && tstzrange(%(since)s, %(at)s)
        AND s.status = 'scheduled' AND s.marking <> 'locked'
        AND NOT EXISTS (SELECT FROM attendance_coveredmark u WHERE u.session_id = s.id AND u.enrollment_id = e.id)
        AND <which>
    ORDER BY s.id
""".replace("<expected>", sheets.EXPECTED)  # nosec B608 - made of constants
_OF_LATE = _MISSED.replace(
    "<which>", "s.starts_at BETWEEN %(since)s AND %(at)s AND s.id > %(after)s"
) + " LIMIT %(batch)s"  # fmt: skip
_OF_THESE = _MISSED.replace("<which>", "s.id = ANY (%(ids)s)")
# How many sheets a refusal names.
NAMED = 20


def cover(excuse: ExcuseRequest, codes: Mapping[str, AttendanceCode], *, at: datetime) -> int:
    """Mark the student excused where the period overlaps sessions that have begun; return in how many.

    Refused with `session_locked`, which names sheets that are final, and with `term_closed`.
    """
    sessions = _overlapping(excuse)
    begun = {row.pk: row for row in sessions if row.starts_at <= at or row.marking != Marking.SCHEDULED}
    lines = sheets.lines_of(list(begun.values()), students=[excuse.student_id])
    _require_unlocked(begun, {line.session for line in lines.values() if line.mark.source != Source.EXCUSE})
    return len(sheets.put(lines, {}, begun, codes, at=at).changed)


def uncover(excuse: ExcuseRequest, *, at: datetime) -> int:
    """Bring back what an excuse covered, and return in how many sessions.

    Whom another one excuses in a session stays excused, by that one. Refused with `session_locked` or `term_closed`.
    """
    covered = CoveredMark.objects.filter(excuse=excuse)
    sessions = {row.pk: row for row in _overlapping(excuse, Q(pk__in=covered.values("session")))}
    rows = list(covered)
    touched = {row.session_id for row in rows}
    _require_unlocked(sessions, touched)
    if rows:
        _bring_back(excuse, rows, sessions, at)
        sheets.count_changes([sessions[pk] for pk in sorted(touched)])
    return len(touched)


def apply_excuses(*, at: datetime) -> int:
    """Mark those excused in sessions that have begun whom nobody has marked so; return in how many sessions.

    They were generated late, or nobody opened their sheets. Raises `LockHeldError` when somebody else is at it.
    """
    done, after = 0, UUID(int=0)
    while ids := _missed(at, after):
        after = ids[-1]
        with transaction.atomic():
            hold_named("attendance", "apply_excuses")
            sessions = {
                row.pk: row for row in _locked(Q(pk__in=ids)) if row.marking != Marking.LOCKED and not is_over(row)
            }
            lines = sheets.lines_of(list(sessions.values()))
            done += len(sheets.put(lines, {}, sessions, sheets.codes_by_name(), at=at).changed)
    return done


def excuse_missed(sessions: Sequence[ClassSession], *, at: datetime) -> None:
    """Mark those excused in locked rows of sessions whom nobody has marked so, before their sheets become final."""
    if not sessions:
        return
    hull = _hull(sessions)
    wanted = {"ids": [row.pk for row in sessions], "since": hull.lower, "at": hull.upper}
    missed = set(_ask(_OF_THESE, wanted))
    rows = {row.pk: row for row in sessions if row.pk in missed}
    sheets.put(sheets.lines_of(list(rows.values())), {}, rows, sheets.codes_by_name(), at=at)


def _bring_back(
    excuse: ExcuseRequest, rows: Sequence[CoveredMark], sessions: Mapping[UUID, ClassSession], at: datetime
) -> None:
    approved = ExcuseRequest.objects.filter(student=excuse.student_id, status=ExcuseStatus.APPROVED)
    others = list(approved.filter(period__overlap=_hull([sessions[row.session_id] for row in rows])))
    codes = sheets.codes_by_name()
    marks = AttendanceRecord.objects.filter(
        enrollment__in={row.enrollment_id for row in rows}, session__in={row.session_id for row in rows},
        local_date__in={sessions[row.session_id].local_date for row in rows}, source=Source.EXCUSE,
    )  # fmt: skip
    excused = set(marks.values_list("session", "enrollment"))
    back: dict[sheets.Key, sheets.Made] = {}
    handed: dict[sheets.Key, tuple[UUID, sheets.Made]] = {}
    emptied = []
    for row in rows:
        key, beneath = (row.session_id, row.enrollment_id), sheets.kept_in(row)
        session = sessions[row.session_id]
        other = next((each for each in others if _overlaps(each, session)), None)
        code = None if other is None else codes.get(CODE_OF[ExcuseKind(other.kind)])
        if other is not None and code is not None:
            handed[key] = other.pk, beneath
            back[key] = sheets.Made(code.pk, source=Source.EXCUSE, marked_by=other.decided_by_id, marked_at=at)
        elif beneath.code is not None:
            back[key] = beneath
        else:
            emptied.append(key)
    # By two statements, each of which would hold the summaries in an order of its own.
    sheets.hold_summaries({row.enrollment_id for row in rows})
    sheets.record({key: made for key, made in back.items() if key in excused})
    if emptied:
        sheets.forget(emptied, sessions)
    CoveredMark.objects.filter(excuse=excuse).delete()
    sheets.cover(handed)


def _overlapping(excuse: ExcuseRequest, besides: Q | None = None) -> list[ClassSession]:
    """Lock the sessions that the period overlaps of what the student takes or took."""
    taken = Enrollment.objects.filter(student=excuse.student_id).values("section")
    period = excuse.period
    theirs = Q(section__in=taken, starts_at__lt=period.upper, ends_at__gt=period.lower)
    held = theirs & Q(status=SessionStatus.SCHEDULED)
    return _locked(held if besides is None else held | besides)


def _locked(which: Q) -> list[ClassSession]:
    """Lock sessions, in the order in which everybody locks them."""
    rows = ClassSession.objects.filter(which).select_related("section__term").order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _missed(at: datetime, after: UUID) -> list[UUID]:
    """Return sessions of late that have begun in which an excuse covers somebody who is not marked so."""
    return _ask(_OF_LATE, {"at": at, "since": at - LOOKS_BACK, "after": after, "batch": BATCH})


def _ask(statement: str, wanted: Mapping[str, Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, wanted)
        return [row[0] for row in cursor.fetchall()]


def _overlaps(excuse: ExcuseRequest, session: ClassSession) -> bool:
    period = excuse.period
    return bool(session.starts_at < period.upper and session.ends_at > period.lower)


def _hull(sessions: Sequence[ClassSession]) -> DateTimeTZRange:
    return DateTimeTZRange(min(row.starts_at for row in sessions), max(row.ends_at for row in sessions), "[)")


def _require_unlocked(sessions: Mapping[UUID, ClassSession], concerned: Collection[UUID]) -> None:
    locked = sorted(str(pk) for pk in concerned if sessions[pk].marking == Marking.LOCKED)
    if locked:
        raise SessionLockedError(meta={"sessions": locked[:NAMED]})
    for pk in sorted(concerned):
        require_open_term(sessions[pk])
