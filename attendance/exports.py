"""What of attendance may be taken away as a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from attendance import exporting, tabulating
from attendance.models import AttendanceRecord, AttendanceSummary, EligibilityDecision
from attendance.narrowing import AttendanceExportFilter, EligibilityDecisionFilter, ShortageFilter
from core.errors import InvalidError
from core.exports import Line, Table, declare
from core.recording import Disclosure


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

    def batches(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> Iterator[Sequence[Line]]:
        return exporting.table(rows)

    def facts(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> list[str]:
        return exporting.facts(rows)


@declare
class Shortages(AttendanceTable):
    """Who falls short, with what each may still miss."""

    name = "attendance_shortages"
    title = "Who falls short"
    permission = "attendance.view_attendancesummary"
    queryset = AttendanceSummary.objects.filter(is_short=True)
    filters = ShortageFilter
    searchable = True

    def batches(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> Iterator[Sequence[Line]]:
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

    def batches(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> Iterator[Sequence[Line]]:
        return tabulating.decisions(rows)

    def facts(self, rows: QuerySet[Any], asked: Mapping[str, Any]) -> list[str]:
        return tabulating.facts(rows)
