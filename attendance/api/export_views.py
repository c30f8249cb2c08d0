"""HTTP for marks as a table, to be opened in a spreadsheet or imported again."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from attendance import exporting
from attendance.api.record_views import AttendanceRecordSerializer
from attendance.models import AttendanceRecord, ClassSession
from core.api import downloads, filters
from core.api.parameters import SELECTION, UnknownParameterError
from core.api.viewsets import BaseViewSet
from core.errors import InvalidError, raise_all
from core.recording import Disclosure
from core.workbooks import MOST_ROWS

DISCLOSURE = Disclosure("attendance", "enrollment.student.person_id")


class NarrowedTooLittleError(InvalidError):
    """Nobody reads all marks that there ever were as one table."""

    code = "section_or_term_required"
    title = "Name a section or a term."
    field = "section"


class TooManyRowsError(InvalidError):
    """A sheet of a workbook holds no more."""

    code = "too_many_rows"
    title = f"A workbook has at most {MOST_ROWS - 1:,} rows; ask for CSV, or for fewer."
    field = "format"


class TableTooLongError(InvalidError):
    """Writing the table would take minutes."""

    code = "too_many_rows"
    title = f"A table has at most {exporting.MOST:,} rows; ask for fewer days, or section by section."
    field = "date_from"


class AttendanceExportFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="section__term_id")
    date_from = filters.DateFilter(field_name="local_date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="local_date", lookup_expr="lte")
    format = filters.ChoiceFilter(choices=downloads.FORMATS, method="as_asked", help_text="CSV, unless it says so.")

    class Meta:
        model = AttendanceRecord
        fields = ["section", "term", "date_from", "date_to", "format"]

    def as_asked(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset


class AttendanceExportViewSet(BaseViewSet[AttendanceRecord]):
    """What students were marked with, of a section or a term, in the columns that an import reads."""

    queryset = AttendanceRecord.objects.all()
    discloses = DISCLOSURE
    list_serializer_class = AttendanceRecordSerializer
    renderer_classes = [downloads.CsvRenderer, downloads.XlsxRenderer]
    filterset_class = AttendanceExportFilter
    pagination_class = None
    downloads_rows = True
    action_permissions = {"export": "attendance.view_attendancerecord"}

    def get_response_serializer(self) -> Any:
        return OpenApiTypes.BINARY

    def export(self, request: Request) -> HttpResponseBase:
        """Download the marks of a section or a term as CSV or XLSX, in the order in which the sessions began."""
        parameters = request.query_params
        raise_all(
            [UnknownParameterError(f"There is no parameter {name!r} here.", field=name)
             for name in sorted(SELECTION & parameters.keys())]
        )  # fmt: skip
        asked = AttendanceExportFilter.read(parameters)[0]
        if not asked.keys() & {"section", "term"}:
            raise NarrowedTooLittleError
        records = self.filter_queryset(self.in_sight())
        sessions = _sessions(asked)
        number = exporting.size(records)
        if number > exporting.MOST:
            raise TableTooLongError
        kind = asked.get("format", downloads.CSV)
        if kind == downloads.XLSX and number >= MOST_ROWS:
            raise TooManyRowsError(meta={"rows": number})
        subjects = records.order_by().values_list("enrollment__student__person", flat=True).distinct()
        if number:
            self._disclose(DISCLOSURE, sorted(subjects))
        facts = exporting.facts(records, sessions)
        rows = exporting.table(records, sessions if number else ClassSession.objects.none())
        return downloads.table(rows, name="attendance", kind=kind, facts=[kind, *facts])


def _sessions(asked: dict[str, Any]) -> QuerySet[ClassSession]:
    """Return the sessions of which marks are asked for."""
    columns = {
        "section": "section", "term": "section__term", "date_from": "local_date__gte", "date_to": "local_date__lte"
    }  # fmt: skip
    return ClassSession.objects.filter(**{columns[name]: value for name, value in asked.items() if name in columns})
