"""HTTP for the passwords of accounts."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.auth import validated
from accounts.api.serializers import ContinuedSession, PasswordChangeWriter
from core.api.permissions import AUTHENTICATED
from core.api.views import PlainView


class PasswordChangeView(PlainView):
    """Change one's own password."""

    answers_before_password_change = True
    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_password_change", request=PasswordChangeWriter, responses=ContinuedSession)
    def post(self, request: Request) -> Response:
        """Change the password, which ends every other session, and answer with an access token for this one."""
        values, now = validated(PasswordChangeWriter, request), timezone.now()
        user: Any = request.user
        claims: Any = request.auth
        services.change_password(user, **values, session_id=claims.session_id, at=now)
        continued = services.continue_session(user, claims, at=now)
        lifetime = int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
        return Response({"access": continued.access, "expires_in": lifetime})
