"""HTTP for sessions: where an account is logged in, and ending that from elsewhere."""

from typing import Any

from django.db import models, transaction
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.models import Session, User
from core.api.nested import NestedListViewSet
from core.api.permissions import AUTHENTICATED
from core.api.serializers import BaseListSerializer
from core.api.viewsets import BaseViewSet
from core.visibility import visible

ORDERING = {"last_used_at": "rotated_at", "created_at": "created_at"}


class SessionSerializer(BaseListSerializer[Session]):
    """Where an account is logged in."""

    device = serializers.CharField(source="user_agent", help_text="What the client said it was when it logged in.")
    last_used_at = serializers.DateTimeField(source="rotated_at", help_text="To within the life of an access token.")
    is_current = serializers.SerializerMethodField(help_text="Whether this request belongs to it.")

    class Meta:
        model = Session
        fields = [
            "id", "device", "ip", "amr", "is_current", "last_used_at", "expires_at", "absolute_expires_at",
            "created_at",
        ]  # fmt: skip

    def get_is_current(self, session: Session) -> bool:
        request = self.context.get("request")
        return session.pk == getattr(getattr(request, "auth", None), "session_id", None)


class OwnSessionViewSet(BaseViewSet[Session]):
    """Where the caller is logged in. Whoever administers accounts finds those of others below their accounts."""

    queryset = Session.objects.all()
    list_serializer_class = SessionSerializer
    ordering_fields = ORDERING
    default_ordering = ("-last_used_at",)
    action_permissions = dict.fromkeys(("list", "retrieve", "destroy", "end_others"), AUTHENTICATED)

    def within(self, queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
        return super().within(self._own(queryset))

    @extend_schema(operation_id="auth_sessions_end", request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End one session: whoever holds its tokens is logged out."""
        with transaction.atomic():
            session = self._own(self.manageable()).select_for_update(of=("self",)).filter(pk=kwargs["pk"]).first()
            if session is None:
                raise Http404
            services.log_out(session=session, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="auth_sessions_end_others", request=None, responses={204: None})
    def end_others(self, request: Request) -> Response:
        """End every session of the caller but the present one; those of the administration pages, too."""
        claims: Any = request.auth
        services.end_sessions(self._own(self.manageable()).exclude(pk=claims.session_id), at=timezone.now())
        services.leave_administration(self.actor, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self, queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
        return _live(queryset.filter(user=self.actor.pk))


class UserSessionViewSet(NestedListViewSet[Session]):
    """Where an account is logged in, for those who administer accounts."""

    queryset = Session.objects.all()
    parent_field = "user"
    list_serializer_class = SessionSerializer
    ordering_fields = ORDERING
    default_ordering = ("-last_used_at",)
    action_permissions = {"end_all": "accounts.delete_session"}

    def within(self, queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
        return super().within(_live(queryset))

    @extend_schema(operation_id="users_sessions_end_all", request=None, responses={204: None})
    def end_all(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End every session of the account, those of the administration pages, too, and its calendar feed."""
        services.end_sessions(_live(self.manageable().filter(user=kwargs["parent"])), at=timezone.now())
        for user in visible(User.objects.filter(pk=kwargs["parent"]), self.actor, to="manage"):
            services.end_access(user.pk, at=timezone.now())
            services.leave_administration(user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _live(queryset: models.QuerySet[Session]) -> models.QuerySet[Session]:
    rows: Any = queryset
    found: models.QuerySet[Session] = rows.live(timezone.now())
    return found
