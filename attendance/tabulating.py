"""Shortages and decisions about admission as tables, to be read."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from attendance.calculation import tallies
from attendance.models import AttendanceSummary, EligibilityDecision

# What is held of a table of any length.
ROWS = 1_000

WHO = {
    "student_no": "enrollment__student__student_no", "last_name": "enrollment__student__person__last_name",
    "called_name": "enrollment__student__person__called_name", "term": "enrollment__term__code",
    "course_code": "enrollment__course__code", "section_code": "enrollment__section__code",
}  # fmt: skip
TALLIED = ("attended", "counted", "exempt", "unmarked", "to_come", "percent", "threshold", "may_miss")
DECIDED = (
    "outcome", "attended", "counted", "exempt", "unmarked", "percent", "threshold", "condonation_floor", "basis",
    "rounding", "decided_at", "superseded_at",
)  # fmt: skip
# The rows from which the cells of a decision are read, or by which decisions are chosen.
OF_DECISIONS = (
    "enrollment", "enrollment__student", "enrollment__student__person", "enrollment__term", "enrollment__course",
    "enrollment__section", "enrollment__attendance_summary",
)  # fmt: skip


def shortages(summaries: QuerySet[AttendanceSummary], *, at: datetime) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the header and then who falls short, with what each came to by an instant, a thousand at a time."""
    yield [(*WHO, "status", *TALLIED)]
    columns = ("enrollment", *WHO.values(), "enrollment__status")
    for rows in _thousands(summaries, columns):
        found = tallies([enrollment for _, enrollment, *_ in rows], at=at)
        yield [
            [*cells, *(getattr(found[enrollment], name) for name in TALLIED)] for _, enrollment, *cells in rows
        ]  # fmt: skip


def decisions(decided: QuerySet[EligibilityDecision]) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the header and then decisions in the order in which they were made, a thousand at a time.

    Why a shortage was condoned is no part of it: that may be medical, and tables are handed on.
    """
    yield [(*WHO, "status", *DECIDED)]
    for rows in _thousands(decided, (*WHO.values(), "enrollment__status", *DECIDED)):
        yield [[each.isoformat() if isinstance(each, datetime) else each for each in cells] for _, *cells in rows]


def _thousands(rows: QuerySet[Any], columns: Sequence[str]) -> Iterator[list[Any]]:
    """Yield keys and columns of rows in the order of their keys, some rows at a time."""
    ordered, after = rows.order_by("pk"), Q()
    while some := list(ordered.filter(after).values_list("pk", *columns)[:ROWS]):
        yield some
        after = Q(pk__gt=some[-1][0])


def facts(decided: QuerySet[EligibilityDecision]) -> list[str]:
    """Return what is not the same any more when a cell of a table of decisions is not."""
    newest = {f"of_{name}": Max(f"{name}__updated_at") for name in OF_DECISIONS}
    found = decided.order_by().aggregate(Max("updated_at"), number=Count("pk"), **newest)
    return [str(found[name]) for name in sorted(found)]
