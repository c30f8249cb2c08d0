"""HTTP for logging in and out."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers as drf
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import devices, services, tokens
from accounts.api.serializers import (
    LogInWriter,
    Me,
    NewSession,
    RefreshWriter,
    SecondStepNeeded,
    TokenPair,
    UserSerializer,
    VerifyWriter,
)
from accounts.models import Session, User
from accounts.selectors import user_of
from core.api.permissions import AUTHENTICATED, PublicByName
from core.api.views import PlainView
from core.security.addresses import client_address


def validated(writer: type[drf.BaseSerializer[Any]], request: Request) -> dict[str, Any]:
    serializer = writer(data=request.data)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def pair_of(issued: services.Tokens) -> dict[str, Any]:
    return {
        "access": issued.access,
        "refresh": issued.refresh,
        "expires_in": int(settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
        "user": UserSerializer(issued.user).data,
    }


def device_of(request: Request) -> dict[str, Any]:
    """Return what is known of the client: where it is, and what it says it is."""
    address = client_address(request)
    return {"ip": str(address) if address else None, "user_agent": request.headers.get("User-Agent", "")}


def answer_to(admitted: services.Tokens | services.SecondStep, *, device: str = "", at: datetime) -> dict[str, Any]:
    """Return what a log-in answers with: a session, or the token that the second step is taken with."""
    if isinstance(admitted, services.SecondStep):
        return {
            "mfa_required": True,
            "mfa_token": admitted.token,
            "expires_in": admitted.expires_in,
            "kinds": list(admitted.kinds),
        }
    known = devices.device_of(device, admitted.user.pk, at=at)
    return {**pair_of(admitted), "device": devices.token_of(admitted.user.pk, device=known, at=at)}


LOG_IN_ANSWER = PolymorphicProxySerializer("LogInAnswer", [NewSession, SecondStepNeeded], resource_type_field_name=None)


class LogInView(PlainView):
    """Log in with an e-mail address and a password."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    documented_statuses = {"post": (401,)}

    @extend_schema(operation_id="auth_token_create", request=LogInWriter, responses=LOG_IN_ANSWER)
    def post(self, request: Request) -> Response:
        """Exchange credentials for an access and a refresh token, or for what the second step is taken with."""
        values, now = validated(LogInWriter, request), timezone.now()
        try:
            admitted = services.log_in(**values, **device_of(request), at=now)
        except services.InvalidCredentialsError as error:
            raise AuthenticationFailed(
                "No active account matches this e-mail address and password.", code="invalid_credentials"
            ) from error
        return Response(answer_to(admitted, device=values["device"], at=now))


class RefreshView(PlainView):
    """Stay logged in."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    documented_statuses = {"post": (401,)}

    @extend_schema(operation_id="auth_token_refresh", request=RefreshWriter, responses=TokenPair)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; reuse of an old one ends the session."""
        try:
            values = validated(RefreshWriter, request)
            issued = services.refresh_session(**values, ip=device_of(request)["ip"], at=timezone.now())
        except services.InvalidRefreshError as error:
            raise AuthenticationFailed("The refresh token is not valid.", code="invalid_refresh_token") from error
        return Response(pair_of(issued))


class VerifyView(PlainView):
    """Ask whether an access token is still good."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    documented_statuses = {"post": (401,)}

    @extend_schema(operation_id="auth_token_verify", request=VerifyWriter, responses={200: None})
    def post(self, request: Request) -> Response:
        """Answer 200 for a live access token, 401 for any other."""
        try:
            claims = tokens.read_access(validated(VerifyWriter, request)["token"])
        except tokens.InvalidTokenError as error:
            raise AuthenticationFailed("The token is not valid.", code="invalid_token") from error
        user = user_of(claims, at=timezone.now())
        if user is None or user.token_version != claims.token_version:
            raise AuthenticationFailed("The session has ended; log in again.", code="session_ended")
        return Response(None)


class LogOutView(PlainView):
    """End this session."""

    answers_before_password_change = True
    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session of the access token: its tokens are refused from now on."""
        claims: Any = request.auth
        services.log_out(session=Session(pk=claims.session_id), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(PlainView):
    """Who the caller is, and what they may do."""

    answers_before_password_change = True
    takes_keys = True
    required_permissions = {"get": AUTHENTICATED}

    @extend_schema(operation_id="auth_me", responses=Me)
    def get(self, request: Request) -> Response:
        """Show the caller's account, roles and permissions."""
        if not isinstance(request.user, User):
            raise AuthenticationFailed
        return Response(Me(request.user).data)
