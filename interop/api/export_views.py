"""HTTP for tables that a worker makes: asked for, looked at, fetched and forgotten."""

from typing import Any, ClassVar

from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import UserBrief
from core.api import downloads, filters
from core.api.permissions import AUTHENTICATED
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.exports import FORMATS, XLSX, tables
from core.models import PreparedState
from interop import services
from interop.models import ExportJob

KINDS = [(name, table.title) for name, table in tables().items()]
# Two hundred ids and what is between them.
LONGEST_FILTER = 8_000


class ExportJobSerializer(BaseListSerializer[ExportJob]):
    """How far a table has come."""

    requested_by = UserBrief()

    class Meta:
        model = ExportJob
        fields = [
            "id", "kind", "format", "state", "failure", "rows", "rows_total", "size", "sha256", "requested_by",
            "started_at", "ready_at", "expires_at", "downloaded_at", "created_at", "updated_at",
        ]  # fmt: skip


class ExportJobDetailSerializer(BaseDetailSerializer[ExportJob]):
    """The same with what the table is narrowed by."""

    requested_by = UserBrief()
    filters = serializers.DictField(child=serializers.CharField())

    class Meta(ExportJobSerializer.Meta):
        fields = [*ExportJobSerializer.Meta.fields, "filters"]


class ExportJobWriter(WriteSerializer):
    """Which table, as what, and narrowed by what."""

    request_example: ClassVar = {
        "kind": "attendance_records", "format": "csv", "filters": {"section": "01955500-0000-7000-8000-000000000001"},
    }  # fmt: skip

    kind = serializers.ChoiceField(choices=KINDS)
    format = serializers.ChoiceField(choices=FORMATS, required=False, help_text="CSV, unless it says so.")
    filters = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_FILTER), required=False,
        help_text="What the download of the same rows takes in its address, such as `section` and `date_from`.",
    )  # fmt: skip


class ExportJobFilter(filters.StrictFilterSet):
    kind = filters.MultipleChoiceFilter(choices=KINDS)
    format = filters.MultipleChoiceFilter(choices=FORMATS)
    state = filters.MultipleChoiceFilter(choices=PreparedState.choices)

    class Meta:
        model = ExportJob
        fields = ["kind", "format", "state"]


class ExportJobViewSet(UnifiedViewSet[ExportJob]):
    """Tables of any length: a worker makes them of what whoever asks may see by then, and they wait some days.

    Of `rows_total` rows `rows` are written. A table that could not be made says in `failure` why. Deleting one stops
    the work on it, and forgets its file.
    """

    queryset = ExportJob.objects.all()
    # A worker reads with all that its account may do, and a key may be narrower than that.
    takes_keys = False
    list_serializer_class = ExportJobSerializer
    detail_serializer_class = ExportJobDetailSerializer
    write_serializer_class = ExportJobWriter
    filterset_class = ExportJobFilter
    left_out_of_lists = ("filters", "reach")
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    # Everybody may ask; for which tables, the service knows.
    action_permissions = dict.fromkeys(("list", "retrieve", "create", "destroy", "download"), AUTHENTICATED)
    success_statuses = {"create": status.HTTP_202_ACCEPTED}
    crud: ClassVar[Crud[Any]] = Crud(create=services.request_export, delete=services.delete_export)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask for a table; `GET` tells how far it has come."""
        response = super().create(request, *args, **kwargs)
        response.status_code = status.HTTP_202_ACCEPTED
        return response

    def get_response_serializer(self) -> Any:
        return OpenApiTypes.BINARY if self.action == "download" else super().get_response_serializer()

    @action(detail=True, methods=["get"], renderer_classes=[downloads.CsvRenderer, downloads.XlsxRenderer])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Fetch the file; whoever asked for it may, and nobody else, until it expires or the permission is lost."""
        with transaction.atomic():
            job, at = self.locked(), timezone.now()
            services.require_fetchable(job, by=self.actor, at=at)
            tag = f'"{job.sha256}"'
            is_taken = downloads.takes_content(request, tag)
            content = services.open_export(job, by=self.actor, at=at) if is_taken else ()
        kind = downloads.XlsxRenderer.media_type if job.format == XLSX else "text/csv; charset=utf-8"
        return downloads.stored(content, name=f"{job.kind}.{job.format}", kind=kind, tag=tag, size=job.size)
