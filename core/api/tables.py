"""HTTP for tables that are short enough to be sent while their reader waits."""

from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from core import exports
from core.api import downloads, filters
from core.api.parameters import SELECTION, UnknownParameterError
from core.api.viewsets import BaseViewSet
from core.errors import raise_all

ModelT = TypeVar("ModelT", bound=Model)


class InFormat(filters.StrictFilterSet):
    """Lets whoever asks say as what a table is written."""

    format = filters.ChoiceFilter(choices=exports.FORMATS, method="as_asked", help_text="CSV, unless it says so.")

    def as_asked(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset


class TableViewSet(BaseViewSet[ModelT]):
    """Rows as one table, for those who see them, which is put on record; longer ones are made in the background."""

    table: ClassVar[exports.Table[Any]]
    renderer_classes = [downloads.CsvRenderer, downloads.XlsxRenderer]
    filterset_class: type[InFormat]
    pagination_class = None
    downloads_rows = True
    file_name: ClassVar[str]

    def get_response_serializer(self) -> Any:
        return OpenApiTypes.BINARY

    def download(self, request: Request) -> HttpResponseBase:
        """Stream the table; refused with `too_many_rows` where that would keep a web worker."""
        parameters = request.query_params
        raise_all(
            [UnknownParameterError(f"There is no parameter {name!r} here.", field=name)
             for name in sorted(SELECTION & parameters.keys())]
        )  # fmt: skip
        asked = self.filterset_class.read(parameters)[0]
        self.table.refuse(asked)
        rows = self.filter_queryset(self.in_sight())
        number = self.table.size(rows, most=exports.MOST_AT_ONCE)
        if number > exports.MOST_AT_ONCE:
            raise exports.TooManyRowsError(meta={"most": exports.MOST_AT_ONCE, "instead": exports.WHERE})
        if number:
            self._disclose(self.table.discloses, self.table.people(rows))
        kind = asked.get("format", exports.CSV)
        lines = self.table.lines(rows if number else rows.none(), asked)
        return downloads.table(lines, name=self.file_name, kind=kind, facts=[kind, *self.table.facts(rows, asked)])
