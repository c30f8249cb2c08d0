"""HTTP for notifications: everybody's own, and nobody else's."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.permissions import AUTHENTICATED
from core.api.views import PlainView
from core.api.viewsets import BaseViewSet
from core.visibility import visible
from notifications import services
from notifications.api import filters, serializers
from notifications.models import Notification
from notifications.selectors import choices_of, quiet_hours_of
from notifications.topics import topics


class NotificationViewSet(BaseViewSet[Notification]):
    """What the caller was told."""

    takes_keys = False
    queryset = Notification.objects.all()
    list_serializer_class = serializers.NotificationSerializer
    filterset_class = filters.NotificationFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = dict.fromkeys(("list", "retrieve", "mark_read"), AUTHENTICATED)

    @extend_schema(operation_id="notifications_read", request=None)
    @action(detail=True, methods=["post"], url_path="read", url_name="read")
    def mark_read(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Note that the caller has read it; when they did first stays."""
        with transaction.atomic():
            return self.represent(self.fresh(services.mark_read(self.locked(), at=timezone.now())))


class UnreadCountView(PlainView):
    """How much the caller has not read."""

    takes_keys = False
    required_permissions = {"get": AUTHENTICATED}

    @extend_schema(operation_id="notifications_unread_count", responses=serializers.UnreadCount)
    def get(self, request: Request) -> Response:
        """Count what the caller was told and has not read."""
        return Response({"unread": visible(Notification.objects.unread(), request.user).count()})


class ReadAllView(PlainView):
    """Reading all at once."""

    takes_keys = False
    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="notifications_read_all", request=None, responses=serializers.ReadCount)
    def post(self, request: Request) -> Response:
        """Note that the caller has read everything they were told so far."""
        account: Any = request.user
        return Response({"read": services.mark_all_read(account, at=timezone.now())})


class PreferencesView(PlainView):
    """What the caller wants to be told about, by what, and when not."""

    takes_keys = False
    required_permissions = dict.fromkeys(("get", "put"), AUTHENTICATED)

    @extend_schema(operation_id="notification_preferences_show", responses=serializers.PreferencesReader)
    def get(self, request: Request) -> Response:
        """Show every topic, and what holds for the caller by each channel."""
        return self._shown(request)

    @extend_schema(
        operation_id="notification_preferences_choose",
        request=serializers.PreferencesWriter,
        responses=serializers.PreferencesReader,
    )
    def put(self, request: Request) -> Response:
        """Replace what the caller has chosen; what is not named is as the topics say."""
        account: Any = request.user
        writer = serializers.PreferencesWriter(data=request.data)
        writer.is_valid(raise_exception=True)
        services.choose(account, **writer.validated_data)
        return self._shown(request)

    def _shown(self, request: Request) -> Response:
        account: Any = request.user
        shown = {
            "topics": topics(),
            "preferences": list(choices_of(account)),
            "quiet_hours": quiet_hours_of(account),
        }
        return Response(serializers.PreferencesReader(shown).data)
