"""What of attendance may be taken away as a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from attendance import exporting, tabulating
from attendance.api.eligibility_views import EligibilityDecisionFilter
from attendance.api.record_views import AttendanceExportFilter
from attendance.api.shortage_views import ShortageFilter
from attendance.models import AttendanceRecord, AttendanceSummary, ClassSession, EligibilityDecision
from core.errors import InvalidError
from core.exports import Table, declare
from core.recording import Disclosure

SESSION_COLUMNS = {
    "section": "section", "term": "section__term", "date_from": "local_date__gte", "date_to": "local_date__lte"
}  # fmt: skip


class NarrowedTooLittleError(InvalidError):
    """Nobody reads all that there ever was as one table."""

    code = "section_or_term_required"
    title = "Name a section or a term."
    field = "section"


class AttendanceTable(Table[Any]):
    """A table of a section or a term."""

    discloses = Disclosure("attendance", "enrollment.student.person_id")

    def refuse(self, asked: Mapping[str, Any]) -> None:
        if not asked.keys() & {"section", "term"}:
            raise NarrowedTooLittleError


@declare
class Records(AttendanceTable):
    """Marks, in the columns that an import reads."""

    name = "attendance_records"
    title = "Marks of students in classes"
    permission = "attendance.view_attendancerecord"
    queryset = AttendanceRecord.objects.all()
    filters = AttendanceExportFilter

    def lines(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        # Of rows that are none no session has to be looked at.
        sessions = ClassSession.objects.none() if rows.query.is_empty() else _sessions(asked)
        return exporting.table(rows, sessions)

    def facts(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> list[str]:
        return exporting.facts(rows, _sessions(asked))


@declare
class Shortages(AttendanceTable):
    """Who falls short, with what each may still miss."""

    name = "attendance_shortages"
    title = "Who falls short"
    permission = "attendance.view_attendancesummary"
    queryset = AttendanceSummary.objects.filter(is_short=True)
    filters = ShortageFilter
    searchable = True

    def lines(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        return tabulating.shortages(rows, at=timezone.now())

    def facts(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> list[str]:
        # What is unmarked and to come changes with the clock: no two tables are known to be the same.
        return [timezone.now().isoformat()]


@declare
class Decisions(AttendanceTable):
    """What was decided about admission, without why a shortage was condoned."""

    name = "attendance_decisions"
    title = "Decisions about admission to examinations"
    permission = "attendance.view_eligibilitydecision"
    queryset = EligibilityDecision.objects.all()
    filters = EligibilityDecisionFilter
    searchable = True

    def lines(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        return tabulating.decisions(rows)

    def facts(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> list[str]:
        return tabulating.facts(rows)


def _sessions(asked: Mapping[str, Any]) -> QuerySet[ClassSession]:
    """Return the sessions of which marks are asked for."""
    narrowed = {SESSION_COLUMNS[name]: value for name, value in asked.items() if name in SESSION_COLUMNS}
    return ClassSession.objects.filter(**narrowed)
