"""HTTP for webhooks: endpoints of programs, what they can be told about, and what they were told."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import UserBrief
from core.api import filters
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.api.views import PlainView
from core.api.viewsets import BaseViewSet, UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from notifications import services
from notifications.models import CallState, WebhookDelivery, WebhookEndpoint
from notifications.offers import Offer, offers
from notifications.selectors import people_told_of


class WebhookSerializer(BaseListSerializer[WebhookEndpoint]):
    """Where a program is told, and how that goes."""

    owner = UserBrief()
    topics = serializers.ListField(child=serializers.CharField())
    disabled_by = serializers.CharField(help_text="`owner`, `failures` or `gone`; empty while it is switched on.")

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "owner", "url", "description", "topics", "is_enabled", "disabled_at", "disabled_by", "failures",
            "failing_since", "former_until", "created_at", "updated_at",
        ]  # fmt: skip


class NewWebhookSerializer(WebhookSerializer):
    """An endpoint that was just given a secret."""

    secret = serializers.CharField(
        source="told", allow_null=True, help_text="Told once: null in the answer to a request that was repeated."
    )

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookWriter(ModelWriteSerializer[WebhookEndpoint]):
    request_example: ClassVar = {"url": "https://hooks.example.org/campus", "topics": ["courses.section.cancelled"]}

    class Meta:
        model = WebhookEndpoint
        fields = ["url", "description", "topics", "is_enabled"]


class RotateSecretWriter(WriteSerializer):
    overlap_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=int(services.LONGEST_OVERLAP.total_seconds()),
        help_text="How long calls are signed with the former secret as well; a day, if left out.",
    )


class WebhookFilter(filters.StrictFilterSet):
    owner = filters.UUIDFilter(field_name="owner_id")
    is_enabled = filters.BooleanFilter()

    class Meta:
        model = WebhookEndpoint
        fields = ["owner", "is_enabled"]


class WebhookViewSet(UnifiedViewSet[WebhookEndpoint]):
    """Endpoints at which programs are told what happened: one's own, and for administrators everybody's."""

    queryset = WebhookEndpoint.objects.all()
    list_serializer_class = WebhookSerializer
    write_serializer_class = WebhookWriter
    write_serializers = {"rotate": RotateSecretWriter}
    filterset_class = WebhookFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {"rotate": "notifications.change_webhookendpoint"}
    crud = Crud(create=services.create_endpoint, update=services.update_endpoint, delete=services.delete_endpoint)
    shown_once = ("secret",)

    def get_response_serializer(self) -> type[serializers.BaseSerializer[Any]]:
        return NewWebhookSerializer if self.action in ("create", "rotate") else super().get_response_serializer()

    def service(self, operation: str) -> Callable[..., Any]:
        found = super().service(operation)
        if operation == "delete":
            return found
        return partial(found, key_id=getattr(self.request.auth, "api_key_id", None))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let a program be told. The secret that calls are signed with is told in this answer and never again."""
        with transaction.atomic():
            values = self.validated(request.data)
            return self._told(self.made(self.service("create"), values), status.HTTP_201_CREATED)

    @extend_schema(operation_id="webhooks_rotate", request=RotateSecretWriter, responses=NewWebhookSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Make another secret; calls are signed with the former one as well until programs have changed over."""
        with transaction.atomic():
            endpoint, values = self.locked(), self.validated(request.data)
            return self._told(services.rotate_secret(endpoint, by=self.actor, at=timezone.now(), **values))

    def _told(self, endpoint: WebhookEndpoint, status_code: int = status.HTTP_200_OK) -> Response:
        response = self.represent(self.fresh(endpoint), status_code)
        response.data = {**response.data, "secret": endpoint.told}
        return response


class DeliverySerializer(BaseListSerializer[WebhookDelivery]):
    """One thing that an endpoint was told, or is to be."""

    endpoint = serializers.UUIDField(source="endpoint_id")
    payload = serializers.DictField(help_text="What is said under `data`: ids and kinds.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "endpoint", "message_id", "topic", "payload", "state", "due_at", "attempts", "delivered_at",
            "response_status", "last_error", "created_at",
        ]  # fmt: skip


class DeliveryFilter(filters.StrictFilterSet):
    endpoint = filters.UUIDFilter(field_name="endpoint_id")
    state = filters.MultipleChoiceFilter(choices=CallState.choices)

    class Meta:
        model = WebhookDelivery
        fields = ["endpoint", "state"]


class DeliveryViewSet(BaseViewSet[WebhookDelivery]):
    """What endpoints were told: those of the caller, and for administrators everybody's. Kept for a month."""

    queryset = WebhookDelivery.objects.all()
    list_serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {"replay": "notifications.change_webhookdelivery"}
    discloses = Disclosure("webhook delivery", "id", behind=people_told_of)

    @extend_schema(operation_id="webhook_deliveries_replay", request=None)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Tell the endpoint once more, under the same id, what it has taken or what was given up."""
        with transaction.atomic():
            return self.represent(self.fresh(services.replay(self.locked(), by=self.actor, at=timezone.now())))


class OfferSerializer(serializers.Serializer[Offer]):
    """An event that endpoints can be told of."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field, which the metaclass takes away
    says = serializers.ListField(child=serializers.CharField(), help_text="What is said under `data`.")
    is_permitted = serializers.SerializerMethodField(help_text="Whether the caller may read what it is about.")

    def get_is_permitted(self, offer: Offer) -> bool:
        return bool(self.context["request"].user.has_perm(offer.permission))


class OffersView(PlainView):
    """What endpoints can be told of."""

    required_permissions = {"get": "notifications.view_webhookendpoint"}

    @extend_schema(operation_id="webhooks_topics", responses=OfferSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the topics."""
        listed: Any = offers()
        return Response(OfferSerializer(listed, many=True, context={"request": request}).data)
