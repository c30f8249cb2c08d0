"""What holds the summaries of attendance against the marks they are made of, and mends them.

The database keeps them in the transaction of every write (`attendance_add_marks`, `attendance_recount`). This is the
proof that it did, and what follows changes that no mark comes with, such as a student's other primary program.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from attendance.events import SummaryMended
from attendance.models import AttendanceSummary
from core.db.locks import hold_named
from core.events import publish_all
from departments.models import Term, TermState
from enrollment.models import Enrollment

logger = logging.getLogger(__name__)

# So many enrolments are held and counted at a time.
BATCH = 2_000
LASTING = (TermState.REGISTRATION, TermState.IN_PROGRESS, TermState.GRADING)
COUNTS = ("counted", "exempt", "attended", "late", "late_attended")

JUDGED = ("percent", "is_short")

_OFF = """
    SELECT e.id, coalesce(m.counted, 0), coalesce(m.exempt, 0), coalesce(m.attended, 0), coalesce(m.late, 0),
        coalesce(m.late_attended, 0), coalesce(c.counted, 0), coalesce(c.exempt, 0), coalesce(c.attended, 0),
        coalesce(c.late, 0), coalesce(c.late_attended, 0)
    FROM unnest(%(ids)s::uuid[]) e (id)
    LEFT JOIN attendance_attendancesummary m ON m.enrollment_id = e.id
    LEFT JOIN attendance_counted(%(ids)s) c ON c.enrollment_id = e.id
    WHERE (coalesce(m.counted, 0), coalesce(m.exempt, 0), coalesce(m.attended, 0), coalesce(m.late, 0),
            coalesce(m.late_attended, 0))
        <> (coalesce(c.counted, 0), coalesce(c.exempt, 0), coalesce(c.attended, 0), coalesce(c.late, 0),
            coalesce(c.late_attended, 0))
"""
# Those that are judged along with these as well: counting anew judges them, and everybody holds in one order.
_HOLD = "SELECT attendance_hold_summaries(attendance_judged_along(%(ids)s))"
_RECOUNT = "SELECT attendance_recount(%(ids)s)"
_JUDGE = "SELECT attendance_judge(%(ids)s)"
# Where another policy judges somebody by now, that is followed; where the same one does, it was wrong before.
_JUDGMENTS = """
    SELECT enrollment_id, policy_id, percent, is_short FROM attendance_attendancesummary
    WHERE enrollment_id = ANY (%(ids)s)
"""


# By which policy somebody is judged, and how.
Judgment = tuple[UUID | None, dict[str, str]]


@dataclass(frozen=True)
class Difference:
    """A summary that was not what its marks come to, or was not judged by that; what it said, and what is so."""

    enrollment: UUID
    said: dict[str, str]
    found: dict[str, str]


def verify_summaries(*, at: datetime, term: Term | None = None) -> Iterator[Difference]:
    """Hold the summaries of a term, or of all that last, against their marks; mend and yield those that differ.

    Each is announced and logged. It goes by thousands, each of them a transaction, while marking goes on.
    """
    terms = [term] if term is not None else list(Term.objects.filter(state__in=LASTING).order_by("pk"))
    for each in terms:
        last: UUID | None = None
        while ids := _batch(each, last):
            last = ids[-1]
            yield from _verified(ids, at)


def _batch(term: Term, after: UUID | None) -> list[UUID]:
    rows = Enrollment.objects.filter(term=term).order_by("pk").values_list("pk", flat=True)
    return list((rows.filter(pk__gt=after) if after else rows)[:BATCH])


@transaction.atomic
def _verified(ids: list[UUID], at: datetime) -> list[Difference]:
    hold_named("attendance.summaries", "verify")
    marked = set(AttendanceSummary.objects.filter(enrollment__in=ids).values_list("enrollment", flat=True))
    # Without a summary there is nothing to hold, and there should be no mark.
    _run(_HOLD, sorted(marked))
    before = _judgments(marked)
    off = {row[0]: _difference(row) for row in _run(_OFF, ids)}
    if off:
        _run(_RECOUNT, sorted(off))
    _run(_JUDGE, sorted(marked))
    found = list(_with_judgments(off, before, _judgments(marked)))
    for one in found:
        logger.warning(
            "attendance.summary_off",
            extra={"enrollment": str(one.enrollment), "said": one.said, "found": one.found},
        )
    publish_all(
        SummaryMended(enrollment_id=one.enrollment, said=one.said, found=one.found, happened_at=at) for one in found
    )
    return found


def _judgments(ids: Collection[UUID]) -> dict[UUID, Judgment]:
    rows = _run(_JUDGMENTS, sorted(ids))
    return {pk: (policy, dict(zip(JUDGED, map(str, judged), strict=True))) for pk, policy, *judged in rows}


def _with_judgments(
    off: Mapping[UUID, Difference], before: Mapping[UUID, Judgment], after: Mapping[UUID, Judgment]
) -> Iterator[Difference]:
    """Yield what differs in the counts or, of whom one and the same policy judges, in what that comes to."""
    for pk in sorted({*off, *before}):
        (policy, said), (judge, found) = (each.get(pk, (None, {})) for each in (before, after))
        wrong = [name for name in said if policy == judge and said[name] != found[name]]
        counts = off.get(pk, Difference(pk, {}, {}))
        if wrong or pk in off:
            yield Difference(
                pk,
                said=counts.said | {name: said[name] for name in wrong},
                found=counts.found | {name: found[name] for name in wrong},
            )


def _difference(row: Any) -> Difference:
    said, found = ([str(value) for value in part] for part in (row[1:6], row[6:]))
    return Difference(row[0], dict(zip(COUNTS, said, strict=True)), dict(zip(COUNTS, found, strict=True)))


def _run(statement: str, ids: list[UUID]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": ids})
        rows: list[Any] = cursor.fetchall()
    return rows
