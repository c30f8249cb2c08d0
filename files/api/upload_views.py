"""HTTP for uploads that go on where they broke off: tus for its clients, and the same in JSON."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parsers import StrictJSONParser
from core.api.viewsets import BaseViewSet
from files import services
from files.api import serializers, tus
from files.models import FileUpload
from files.store import FileTooLargeError, store

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
UPLOADS = "files.add_fileasset"


class PartParser(BaseParser):
    """Stands for a part of a file, which the view reads itself, block by block."""

    media_type = tus.PART_TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return {}


def _header(name: str, description: str, kind: Any = str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description, required=required)


def _saying(response: ResponseT, headers: Mapping[str, str]) -> ResponseT:
    for name, value in headers.items():
        response[name] = value
    return response


class FileUploadViewSet(BaseViewSet[FileUpload]):
    """Files that come in parts, each of which goes on where the last one ended: one's own, for a day each."""

    queryset = FileUpload.objects.all()
    list_serializer_class = serializers.UploadSerializer
    write_serializers = {"create": serializers.UploadWriter}
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {
        "list": UPLOADS, "retrieve": UPLOADS, "create": UPLOADS, "partial_update": UPLOADS, "destroy": UPLOADS,
    }  # fmt: skip
    documented_statuses = {
        "create": [status.HTTP_412_PRECONDITION_FAILED],
        "partial_update": [status.HTTP_412_PRECONDITION_FAILED, tus.CHECKSUM_MISMATCH],
    }
    # What a client of tus says stands in headers, which the key would say nothing of.
    idempotent_posts = False

    def get_parsers(self) -> list[BaseParser]:
        method = getattr(self.request, "method", None)
        return [PartParser()] if method == "PATCH" else [StrictJSONParser()]

    def get_described_serializer(self) -> Any:
        """Return what the documentation says of a body; a part is no JSON, and no writer reads it."""
        return OpenApiTypes.BINARY if self.action == "partial_update" else self.get_request_serializer()

    def within(self, queryset: models.QuerySet[FileUpload]) -> models.QuerySet[FileUpload]:
        return queryset.filter(expires_at__gt=timezone.now())

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        return _saying(response, tus.spoken())

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        upload = self.get_object()
        return _saying(self.represent(upload), tus.standing(upload))

    @extend_schema(
        parameters=[
            _header("Upload-Length", "In place of a body: how many bytes the file has."),
            _header("Upload-Metadata", "Beside it: `filename`, in Base64."),
        ]
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        tus.require_version(request.headers)
        told = tus.begun_by(request.headers)
        values = self.validated(request.data if told is None else told)
        upload = services.begin_upload(by=self.actor, **values)
        response = self.represent(self.fresh(upload), status.HTTP_201_CREATED)
        response["Location"] = reverse("file-upload-detail", args=[upload.pk])
        return _saying(response, tus.standing(upload))

    @extend_schema(
        parameters=[
            _header("Upload-Offset", "Where the part begins: how many bytes have come.", int, required=True),
            _header("Upload-Checksum", "`sha1`, `sha256` or `sha512`, and the digest of the part in Base64."),
        ],
        responses={status.HTTP_204_NO_CONTENT: None},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Append a part to the file; `Content-Location` says which one it became with the last."""
        tus.require_version(request.headers)
        upload = self.get_object()
        if str(request.content_type).partition(";")[0].strip().lower() != tus.PART_TYPE:
            raise UnsupportedMediaType(str(request.content_type), f"A part is {tus.PART_TYPE}.")
        offset, checksum = tus.number_in(request.headers, "Upload-Offset"), tus.Checksum.of(request.headers)
        services.require_offset(upload, offset, more=int(request.META.get("CONTENT_LENGTH") or 0))
        if checksum is None:
            upload = services.append(upload, offset=offset, content=request._request)
        else:
            checksum.content = request._request
            upload = self._append_checked(upload, offset, checksum)
        response = Response(status=status.HTTP_204_NO_CONTENT, headers=tus.standing(upload))
        if upload.file_id is not None:
            response["Content-Location"] = reverse("file-detail", args=[upload.file_id])
        return response

    def _append_checked(self, upload: FileUpload, offset: int, checksum: tus.Checksum) -> FileUpload:
        try:
            draft = store().receive(checksum, largest=upload.size - offset)
        except FileTooLargeError:
            raise services.UploadTooLongError(meta={"most": upload.size - offset}) from None
        try:
            checksum.require_match()
            with draft.path.open("rb") as content:
                return services.append(upload, offset=offset, content=content)
        finally:
            store().discard(draft)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give an upload up; the file that it became stays."""
        tus.require_version(request.headers)
        with transaction.atomic():
            services.end_upload(self.locked(), by=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)
