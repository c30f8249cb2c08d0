"""HTTP for shortages and for decisions as tables, to be opened in a spreadsheet."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from attendance import tabulating
from attendance.api.eligibility_serializers import EligibilityDecisionSerializer
from attendance.api.eligibility_views import EligibilityDecisionFilter
from attendance.api.export_views import DISCLOSURE, NarrowedTooLittleError, TooManyRowsError
from attendance.api.shortage_views import ShortageFilter, ShortageSerializer
from attendance.models import AttendanceSummary, EligibilityDecision
from core.api import downloads, filters
from core.api.parameters import SELECTION, UnknownParameterError
from core.api.viewsets import BaseViewSet
from core.errors import raise_all
from core.workbooks import MOST_ROWS

ModelT = TypeVar("ModelT", bound=Model)


class TableViewSet(BaseViewSet[ModelT]):
    """Rows of a section or a term as one table, for those who see them, which is put on record."""

    discloses = DISCLOSURE
    renderer_classes = [downloads.CsvRenderer, downloads.XlsxRenderer]
    pagination_class = None
    downloads_rows = True
    filterset_class: type[filters.StrictFilterSet]
    file_name: str

    def get_response_serializer(self) -> Any:
        return OpenApiTypes.BINARY

    def extent(self, rows: QuerySet[Any]) -> tuple[int, list[str]]:
        """Return how many rows the table would have, and what is not the same any more when one of its cells is not."""
        raise NotImplementedError

    def lines(self, rows: QuerySet[Any], asked: dict[str, Any]) -> Iterator[Sequence[Any]]:
        """Yield the header and then the rows."""
        raise NotImplementedError

    def download(self, request: Request) -> HttpResponseBase:
        parameters = request.query_params
        raise_all(
            [UnknownParameterError(f"There is no parameter {name!r} here.", field=name)
             for name in sorted(SELECTION & parameters.keys())]
        )  # fmt: skip
        asked = self.filterset_class.read(parameters)[0]
        if not asked.keys() & {"section", "term"}:
            raise NarrowedTooLittleError
        rows = self.filter_queryset(self.in_sight())
        number, facts = self.extent(rows)
        kind = asked.get("format", downloads.CSV)
        if kind == downloads.XLSX and number >= MOST_ROWS:
            raise TooManyRowsError(meta={"rows": number})
        if number:
            subjects = rows.order_by().values_list("enrollment__student__person", flat=True).distinct()
            self._disclose(DISCLOSURE, sorted(subjects))
        lines = self.lines(rows if number else rows.none(), asked)
        return downloads.table(lines, name=self.file_name, kind=kind, facts=[kind, *facts])


class ShortageExportFilter(ShortageFilter):
    format = filters.ChoiceFilter(choices=downloads.FORMATS, method="as_asked", help_text="CSV, unless it says so.")

    class Meta(ShortageFilter.Meta):
        fields = [*ShortageFilter.Meta.fields, "format"]

    def as_asked(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset


class ShortageExportViewSet(TableViewSet[AttendanceSummary]):
    """Who falls short in a section or a term, with what each may still miss."""

    queryset = AttendanceSummary.objects.filter(is_short=True)
    list_serializer_class = ShortageSerializer
    filterset_class = ShortageExportFilter
    action_permissions = {"export": "attendance.view_attendancesummary"}
    searchable = True
    file_name = "shortages"

    def export(self, request: Request) -> HttpResponseBase:
        """Download who falls short in a section or a term as CSV or XLSX."""
        return self.download(request)

    def extent(self, rows: QuerySet[Any]) -> tuple[int, list[str]]:
        # What is unmarked and to come changes with the clock: no two tables are known to be the same.
        return rows.order_by().count(), [timezone.now().isoformat()]

    def lines(self, rows: QuerySet[Any], asked: dict[str, Any]) -> Iterator[Sequence[Any]]:
        return tabulating.shortages(rows, at=timezone.now())


class DecisionExportFilter(EligibilityDecisionFilter):
    format = filters.ChoiceFilter(choices=downloads.FORMATS, method="as_asked", help_text="CSV, unless it says so.")

    class Meta(EligibilityDecisionFilter.Meta):
        fields = [*EligibilityDecisionFilter.Meta.fields, "format"]

    def as_asked(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset


class DecisionExportViewSet(TableViewSet[EligibilityDecision]):
    """What was decided about admission in a section or a term, without why a shortage was condoned."""

    queryset = EligibilityDecision.objects.all()
    list_serializer_class = EligibilityDecisionSerializer
    filterset_class = DecisionExportFilter
    action_permissions = {"export": "attendance.view_eligibilitydecision"}
    searchable = True
    file_name = "decisions"

    def export(self, request: Request) -> HttpResponseBase:
        """Download what was decided in a section or a term as CSV or XLSX, in the order in which it was."""
        return self.download(request)

    def extent(self, rows: QuerySet[Any]) -> tuple[int, list[str]]:
        return tabulating.extent(rows)

    def lines(self, rows: QuerySet[Any], asked: dict[str, Any]) -> Iterator[Sequence[Any]]:
        return tabulating.decisions(rows)
