"""HTTP for API keys: each is told once, in the answer to the request that makes it."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.serializers import UserBrief
from accounts.models import ApiKey
from core.api import filters
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud


class ApiKeySerializer(BaseListSerializer[ApiKey]):
    user = UserBrief()
    scopes = serializers.ListField(child=serializers.CharField())
    ip_networks = serializers.ListField(child=serializers.CharField())
    created_by = UserBrief(allow_null=True)
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    last_used_at = serializers.DateTimeField(source="use.last_used_at", allow_null=True, help_text="To a minute.")
    last_used_ip = serializers.IPAddressField(source="use.last_used_ip", allow_null=True)
    last_refused_at = serializers.DateTimeField(
        source="use.last_refused_at", allow_null=True, help_text="When it last came from where it may not be used."
    )
    last_refused_ip = serializers.IPAddressField(source="use.last_refused_ip", allow_null=True)

    class Meta:
        model = ApiKey
        fields = [
            "id", "user", "name", "prefix", "scopes", "ip_networks", "expires_at", "revoked_at", "last_used_at",
            "last_used_ip", "last_refused_at", "last_refused_ip", "created_by", "replaces", "created_at", "updated_at",
        ]  # fmt: skip


class NewApiKeySerializer(ApiKeySerializer):
    """A key that was just made."""

    key = serializers.CharField(
        allow_null=True, help_text="Told once: null in the answer to a request that was repeated."
    )

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]


class ChangeApiKeyWriter(ModelWriteSerializer[ApiKey]):
    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "ip_networks", "expires_at"]


class ApiKeyWriter(ChangeApiKeyWriter):
    class Meta(ChangeApiKeyWriter.Meta):
        fields = ["user", *ChangeApiKeyWriter.Meta.fields]


class RotateWriter(WriteSerializer):
    expires_at = serializers.DateTimeField(required=False, help_text="Left out, it lives as long as the former key.")
    overlap_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=int(settings.API_KEY_LONGEST_OVERLAP.total_seconds()),
        help_text="How long the former key stays good; a day, if left out.",
    )


class ApiKeyFilter(filters.StrictFilterSet):
    user = filters.UUIDFilter(field_name="user_id")
    prefix = filters.CharFilter()

    class Meta:
        model = ApiKey
        fields = ["user", "prefix"]


class ApiKeyViewSet(UnifiedViewSet[ApiKey]):
    """The keys with which programs call the API, for those who administer accounts and have logged in."""

    queryset = ApiKey.objects.all()
    list_serializer_class = ApiKeySerializer
    write_serializer_class = ChangeApiKeyWriter
    write_serializers = {"create": ApiKeyWriter, "rotate": RotateWriter}
    filterset_class = ApiKeyFilter
    ordering_fields = {"name": "name", "expires_at": "expires_at", "created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {"rotate": "accounts.add_apikey"}
    crud = Crud(create=services.create_api_key, update=services.update_api_key, delete=services.revoke_api_key)
    takes_keys: ClassVar[bool] = False
    shown_once = ("key",)

    def get_response_serializer(self) -> type[serializers.BaseSerializer[Any]]:
        return NewApiKeySerializer if self.action in ("create", "rotate") else super().get_response_serializer()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a key. It is told in this answer and never again."""
        with transaction.atomic():
            values = self.validated(request.data)
            return self._told(self.made(services.create_api_key, values))

    @extend_schema(operation_id="api_keys_rotate", request=RotateWriter, responses={201: NewApiKeySerializer})
    def rotate(self, request: Request, pk: str) -> Response:
        """Make the successor of a key, with the same rights, and let the former one live on for a while."""
        with transaction.atomic():
            values = self.validated(request.data)
            return self._told(services.rotate_api_key(self.locked(), by=self.actor, at=timezone.now(), **values))

    def _told(self, made: ApiKey) -> Response:
        response = self.represent(self.fresh(made), status.HTTP_201_CREATED)
        response.data = {**response.data, "key": made.secret}
        return response
