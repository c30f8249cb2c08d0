"""Who is calling: a bearer token, checked with every request against the live session and account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from accounts import means, tokens
from accounts.models import User
from accounts.selectors import user_of
from core.errors import ForbiddenError

if TYPE_CHECKING:  # REST framework imports this module while its own views are still importing
    from rest_framework.request import Request
    from rest_framework.views import APIView

SCHEME = "Bearer"


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; the session behind it must still be live."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != SCHEME.lower().encode():
            return None
        try:
            _, token = parts
            claims = tokens.read_access(token.decode())
        except (tokens.InvalidTokenError, ValueError):
            raise AuthenticationFailed("The access token is not valid or has expired.", code="invalid_token") from None
        user = user_of(claims, at=timezone.now())
        if user is None:
            raise AuthenticationFailed("The session has ended; log in again.", code="session_ended")
        if user.token_version != claims.token_version:
            raise AuthenticationFailed("The account has changed; refresh the access token.", code="invalid_token")
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="api"'


class PasswordChangeRequiredError(ForbiddenError):
    """The account was opened with a password that somebody else knows."""

    code = "password_change_required"
    title = "Change your password first, at /api/v1/auth/password/change/."


class PasswordInOrder(BasePermission):
    """Lets an account that has to change its password do that alone, say who it is, and log out."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        may_wait = getattr(view, "answers_before_password_change", False)
        if not may_wait and getattr(request.user, "must_change_password", False):
            raise PasswordChangeRequiredError
        return True


class SecondFactorRequiredError(ForbiddenError):
    """A role of the account is used with a second factor alone, and the session was opened without one."""

    code = "mfa_enrollment_required"
    title = "Your role needs a second factor: set one up at /api/v1/auth/mfa/, or log in again with the one you have."


class SecondFactorInOrder(BasePermission):
    """Lets a session without the second factor that a role needs set one up, say who it is, and log out."""

    attributes = ("answers_before_enrollment", "answers_before_password_change")

    def has_permission(self, request: Request, view: APIView) -> bool:
        may_wait = any(getattr(view, name, False) for name in self.attributes)
        has_shown = means.has_second(getattr(request.auth, "amr", ()))
        if not may_wait and not has_shown and means.is_demanded_of(request.user):
            raise SecondFactorRequiredError
        return True


class SessionTokenScheme(OpenApiAuthenticationExtension):
    """How the schema names the bearer token."""

    target_class = "accounts.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
