"""HTTP for security keys: setting one up, and asking one for the second step of a log-in."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.auth import validated
from accounts.api.factors import Confirmed, OwnView, PasswordWriter, confirmed
from core.api.permissions import AUTHENTICATED, PublicByName
from core.api.serializers import WriteSerializer
from core.api.views import PlainView


class KeyConfirmWriter(WriteSerializer):
    credential = serializers.DictField(help_text="What `navigator.credentials.create` returned, as JSON.")
    name = serializers.CharField(max_length=80, required=False, allow_blank=True)


class KeyStepWriter(WriteSerializer):
    mfa_token = serializers.CharField(max_length=100)


class KeyOptions(serializers.Serializer[Any]):
    """What a browser hands to `navigator.credentials`, as JSON."""

    options = serializers.DictField()


class KeyView(OwnView):
    """Adding a security key."""

    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa_webauthn", request=PasswordWriter, responses=KeyOptions)
    def post(self, request: Request) -> Response:
        """Answer with what a browser makes a key by, which counts once it is confirmed."""
        user: Any = request.user
        claims: Any = request.auth
        values, now = validated(PasswordWriter, request), timezone.now()
        return Response({"options": services.begin_key(user, **values, session_id=claims.session_id, at=now)})


class KeyConfirmView(OwnView):
    """Confirming a security key."""

    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa_webauthn_confirm", request=KeyConfirmWriter, responses=Confirmed)
    def post(self, request: Request) -> Response:
        """Let the new key count, which ends every other session; the first time, answer with recovery codes."""
        user: Any = request.user
        claims: Any = request.auth
        values, now = validated(KeyConfirmWriter, request), timezone.now()
        enrolled = services.confirm_key(user, **values, session_id=claims.session_id, at=now)
        return Response(confirmed(request, enrolled, at=now))


class KeyStepView(PlainView):
    """Asking a security key for the second step of a log-in."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    documented_statuses = {"post": (401,)}

    @extend_schema(operation_id="auth_token_mfa_webauthn", request=KeyStepWriter, responses=KeyOptions)
    def post(self, request: Request) -> Response:
        """Answer with what the key has to sign."""
        token = validated(KeyStepWriter, request)["mfa_token"]
        try:
            options = services.begin_key_step(token=token, at=timezone.now())
        except services.InvalidPendingLogInError as error:
            raise AuthenticationFailed("The log-in has expired; begin anew.", code="invalid_mfa_token") from error
        return Response({"options": options})
