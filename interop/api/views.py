"""HTTP for imports: translate, call one service, represent. What takes long is a worker's part."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.downloads import CsvRenderer, attached
from core.api.nested import NestedListViewSet
from core.api.parsers import StrictJSONParser
from core.api.uploads import WholeFormParser
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.errors import MissingError
from interop import services
from interop.api import filters, serializers
from interop.models import ImportJob, ImportRow
from interop.selectors import ROWS, people_behind
from interop.sources.columns import COLUMNS, template

ACTIONS = ("validate", "apply", "resume", "revert")


class ImportJobViewSet(UnifiedViewSet[ImportJob]):
    """Files on their way into the records."""

    queryset = ImportJob.objects.all()
    # A worker applies a file with all that its account may do, and a key may be narrower than that.
    takes_keys = False
    list_serializer_class = serializers.ImportJobSerializer
    detail_serializer_class = serializers.ImportJobDetailSerializer
    write_serializer_class = serializers.ImportUploadWriter
    write_serializers = {
        **dict.fromkeys(ACTIONS, serializers.StepWriter),
        "revert": serializers.RevertWriter,
    }
    filterset_class = filters.ImportJobFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    parser_classes = [WholeFormParser]
    left_out_of_lists = ("errors", "remarks", "mapping", "options")
    action_permissions = {
        **dict.fromkeys(ACTIONS, "interop.change_importjob"),
        "report": "interop.view_importjob",
        "template": "interop.add_importjob",
    }
    success_statuses = {
        "create": status.HTTP_201_CREATED,
        **dict.fromkeys(ACTIONS, status.HTTP_202_ACCEPTED),
    }
    crud = Crud(create=services.upload, delete=services.delete_job)

    def get_response_serializer(self) -> Any:
        if self.action in ("report", "template"):
            return OpenApiTypes.STR
        return super().get_response_serializer()

    @action(detail=True, methods=["post"], parser_classes=[StrictJSONParser])
    def validate(self, request: Request, pk: str) -> Response:
        """Let a worker find out again what the file would do."""
        return self._asked(services.request_validation)

    @action(detail=True, methods=["post"], parser_classes=[StrictJSONParser])
    def apply(self, request: Request, pk: str) -> Response:
        """Let a worker write the rows of a validated file; refused rows are left out and reported."""
        return self._asked(services.request_application)

    @action(detail=True, methods=["post"], parser_classes=[StrictJSONParser])
    def resume(self, request: Request, pk: str) -> Response:
        """Let a worker go on with a step that was interrupted or failed."""
        return self._asked(services.request_resumption)

    @action(detail=True, methods=["post"], parser_classes=[StrictJSONParser])
    def revert(self, request: Request, pk: str) -> Response:
        """Let a worker bring every row back to what it was before the import, all or none.

        When something stands in the way, the import is soon in force again, and its `errors` name it:
        `changed_since_import` or `in_use`.
        """
        return self._asked(services.request_reversal)

    def _asked(self, ask: Callable[..., ImportJob]) -> Response:
        with transaction.atomic():
            job = self.locked()
            values = self.validated(self.request.data)
            return self.represent(self.fresh(ask(job, by=self.actor, **values)), status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["get"], renderer_classes=[CsvRenderer])
    def report(self, request: Request, pk: str) -> HttpResponseBase:
        """Download what happened, or would happen, to every row of the file, as CSV."""
        job = self.get_object()
        self._disclose(ROWS, people_behind(job.rows.all()))
        response = StreamingHttpResponse(services.report(job), content_type="text/csv; charset=utf-8")
        return attached(response, f"import-{job.pk}.csv", [job.pk, job.version, job.rows_done])

    @action(detail=False, methods=["get"], url_path="templates/<str:kind>", renderer_classes=[CsvRenderer])
    def template(self, request: Request, kind: str) -> HttpResponseBase:
        """Download the header of a CSV file of this kind."""
        if kind not in COLUMNS:
            raise MissingError(f"There is a template for each of {', '.join(COLUMNS)}.", field="kind")
        header = ",".join(template(kind)) + "\r\n"
        return attached(HttpResponse(header, content_type="text/csv; charset=utf-8"), f"{kind}.csv", header)


class ImportRowViewSet(NestedListViewSet[ImportRow]):
    """What a file says, row by row, and what an import does about each."""

    queryset = ImportRow.objects.all()
    discloses = ROWS
    parent_field = "job"
    list_serializer_class = serializers.ImportRowSerializer
    filterset_class = filters.ImportRowFilter
    ordering_fields = {"position": "position"}
    default_ordering = ("position",)
    action_permissions = {"list": "interop.view_importjob"}
    left_out_of_lists = ("before", "written", "initial")
