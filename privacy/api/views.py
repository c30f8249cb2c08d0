"""HTTP for privacy: translate, call one service, represent."""

from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.decorators import action
from rest_framework.request import Request

from core.api.permissions import AUTHENTICATED
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from privacy import services
from privacy.api import filters, serializers
from privacy.api.renderers import ZipRenderer
from privacy.models import SubjectExport


class SubjectExportViewSet(UnifiedViewSet[SubjectExport]):
    """Everything that the records say about a person, for that person and for those who answer for the records."""

    queryset = SubjectExport.objects.all()
    discloses = Disclosure("subject export", "person_id")
    list_serializer_class = serializers.SubjectExportSerializer
    write_serializer_class = serializers.SubjectExportWriter
    filterset_class = filters.SubjectExportFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    # Everybody may ask about themselves; about whom else somebody may ask, the service knows.
    action_permissions = dict.fromkeys(("list", "retrieve", "create", "destroy", "download"), AUTHENTICATED)
    crud = Crud(create=services.request_export, delete=services.discard_export)

    def get_response_serializer(self) -> Any:
        return OpenApiTypes.BINARY if self.action == "download" else super().get_response_serializer()

    @action(detail=True, methods=["get"], renderer_classes=[ZipRenderer])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Fetch the archive; whoever asked for it may, and nobody else, until it expires."""
        with transaction.atomic():
            export = self.locked()
            content = services.open_export(export, by=self.actor, at=timezone.now())
            self.put_on_record([export])
        response = StreamingHttpResponse(content, content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="personal-data-{export.pk}.zip"'
        response["ETag"] = f'"{export.sha256}"'
        return response
