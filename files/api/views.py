"""HTTP for files: translate, call one service, represent."""

from typing import Any

from django.db import models
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import etag
from core.api.exceptions import answer_to
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from files import services
from files.api import filters, serializers
from files.api.parsers import FileFormParser
from files.api.renderers import AnyRenderer
from files.handing_out import NoSuchPartError, response_with, tag_of
from files.models import FileAsset
from files.selectors import people_behind


class RangeNotSatisfiable(APIException):
    """A content ends before the part of it that is asked for."""

    status_code = status.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE
    default_code = "range_not_satisfiable"
    default_detail = "The content ends before that part."


class FileViewSet(UnifiedViewSet[FileAsset]):
    """Files that people upload: one's own, and those of the records that one sees."""

    queryset = FileAsset.objects.all()
    # Of whom a file discloses something, the records say that refer to it.
    discloses = Disclosure("file", "id", behind=people_behind)
    list_serializer_class = serializers.FileSerializer
    write_serializer_class = serializers.FileUploadWriter
    filterset_class = filters.FileFilter
    ordering_fields = {"created_at": "created_at", "name": "name", "size": "size"}
    default_ordering = ("-created_at",)
    parser_classes = [FileFormParser]
    documented_statuses = {"content": [status.HTTP_409_CONFLICT, status.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE]}
    action_permissions = {"content": "files.view_fileasset"}
    crud = Crud(create=services.upload_file, delete=services.delete_file)

    def within(self, queryset: models.QuerySet[FileAsset]) -> models.QuerySet[FileAsset]:
        return queryset.filter(deleted_at=None)

    def get_response_serializer(self) -> Any:
        if self.action != "content":
            return super().get_response_serializer()
        return {status.HTTP_200_OK: OpenApiTypes.BINARY, status.HTTP_206_PARTIAL_CONTENT: OpenApiTypes.BINARY}

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Upload a file; what it is, is told by its content, with which the end of its name has to agree."""
        values = self.validated(request.data)
        # Before a transaction begins, which is then as short as any.
        uploaded = services.upload_file(by=self.actor, **values)
        return self.represent(self.fresh(uploaded), status.HTTP_201_CREATED)

    @action(detail=True, methods=["get"], renderer_classes=[AnyRenderer])
    def content(self, request: Request, pk: str) -> HttpResponseBase:
        """Download a file, to be saved under the name it was uploaded with."""
        asset = self.get_object()
        if etag.matches(request.headers.get("If-None-Match", ""), tag_of(asset)):
            return etag.unchanged(tag_of(asset))
        try:
            response = response_with(asset, request._request)
        except NoSuchPartError as error:
            refusal = answer_to(request._request, RangeNotSatisfiable())
            refusal["Content-Range"] = f"bytes */{error.size}"
            return refusal
        self.put_on_record([asset])
        return response
