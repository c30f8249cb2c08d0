"""HTTP for privacy: translate, call one service, represent."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import reauthenticate
from core.api import downloads
from core.api.permissions import AUTHENTICATED
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from privacy import services
from privacy.api import filters, serializers
from privacy.api.renderers import ZipRenderer
from privacy.models import ErasureRequest, LegalHold, SubjectExport


class SubjectExportViewSet(UnifiedViewSet[SubjectExport]):
    """Everything that the records say about a person, for that person and for those who answer for the records."""

    queryset = SubjectExport.objects.all()
    takes_keys = False
    discloses = Disclosure("subject export", "person_id", permission="privacy.add_subjectexport")
    list_serializer_class = serializers.SubjectExportSerializer
    write_serializer_class = serializers.SubjectExportWriter
    filterset_class = filters.SubjectExportFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    # Everybody may ask about themselves; about whom else somebody may ask, the service knows.
    action_permissions = dict.fromkeys(("list", "retrieve", "create", "destroy", "download"), AUTHENTICATED)
    crud = Crud(create=services.request_export, delete=services.discard_export)
    # A password that was guessed wrong stays counted, so asking is no one transaction. Whoever asks twice is told.
    idempotent_posts = False

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask for everything about oneself, with one's password, or about somebody else, with a reason."""
        claims: Any = request.auth
        values = self.validated(request.data)
        password = values.pop("password")
        proof = None
        if services.is_about_oneself(self.actor, values.get("person")):
            proof = reauthenticate(
                self.actor, password, session_id=claims.session_id, at=timezone.now(), field="password"
            )
        with transaction.atomic():
            export = services.request_export(by=self.actor, proof=proof, **values)
            return self.represent(self.fresh(self.within_scope(export, values)), status.HTTP_201_CREATED)

    def get_response_serializer(self) -> Any:
        return OpenApiTypes.BINARY if self.action == "download" else super().get_response_serializer()

    @action(detail=True, methods=["get"], renderer_classes=[ZipRenderer])
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Fetch the archive; whoever asked for it may, and nobody else, until it expires."""
        with transaction.atomic():
            export, at = self.locked(), timezone.now()
            content: Iterable[bytes] = ()
            services.require_fetchable(export, by=self.actor, at=at)
            tag = f'"{export.sha256}"'
            if downloads.takes_content(request, tag):
                content = services.open_export(export, by=self.actor, at=at)
                self.put_on_record([export])
        name = f"personal-data-{export.pk}.zip"
        return downloads.stored(content, name=name, kind="application/zip", tag=tag, size=export.size)


class ErasureRequestViewSet(UnifiedViewSet[ErasureRequest]):
    """People who asked to be forgotten, or whom somebody answers for: asked for by one, decided by another."""

    queryset = ErasureRequest.objects.all()
    takes_keys = False
    discloses = Disclosure("erasure request", "person_id")
    list_serializer_class = serializers.ErasureRequestSerializer
    write_serializer_class = serializers.ErasureRequestWriter
    write_serializers = {"reject": serializers.StatedReasonWriter}
    filterset_class = filters.ErasureRequestFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {
        **dict.fromkeys(("list", "retrieve", "create"), AUTHENTICATED),
        **dict.fromkeys(("approve", "reject"), "privacy.change_erasurerequest"),
    }
    crud = Crud(create=services.request_erasure)

    def made(self, create: Callable[..., ErasureRequest], values: Mapping[str, Any]) -> ErasureRequest:
        """Whoever asks for an erasure sees it and does not manage it."""
        return create(by=self.actor, **values)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Let a worker erase the person; whoever asked for it cannot."""
        with transaction.atomic():
            approved = services.approve_erasure(self.locked(), by=self.actor, at=timezone.now())
            return self.represent(self.fresh(approved))

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Leave the person as they are recorded."""
        return self.step(request, services.reject_erasure)


class LegalHoldViewSet(UnifiedViewSet[LegalHold]):
    """Whose records are kept whatever else is asked for."""

    queryset = LegalHold.objects.all()
    takes_keys = False
    discloses = Disclosure("legal hold", "person_id")
    list_serializer_class = serializers.LegalHoldSerializer
    write_serializer_class = serializers.LegalHoldWriter
    write_serializers = {"release": serializers.StatedReasonWriter}
    filterset_class = filters.LegalHoldFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {"release": "privacy.change_legalhold"}
    crud = Crud(create=services.place_hold)

    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Let the records have their time again."""
        return self.step(request, services.release_hold)
