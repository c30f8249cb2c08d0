"""HTTP for second factors: the second step of a log-in, and what an account has beside its password."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import devices, means, services
from accounts.api.auth import pair_of, validated
from accounts.api.serializers import NewSession, PresentPasswordField, UserSerializer
from accounts.models import FactorKind, RecoveryCode, SecondFactor, User
from core.api.permissions import AUTHENTICATED, PublicByName
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.views import PlainView
from core.api.viewsets import BaseViewSet
from core.visibility import visible

LONGEST_CODE = 64


class Factor(BaseListSerializer[SecondFactor]):
    """A second factor of an account."""

    kind = serializers.ChoiceField(FactorKind.choices)

    class Meta:
        model = SecondFactor
        fields = ["id", "kind", "name", "confirmed_at", "last_used_at"]


class SecondFactors(serializers.Serializer[Any]):
    """What an account has beside its password."""

    factors = Factor(many=True)
    recovery_codes_left = serializers.IntegerField()
    is_required = serializers.BooleanField(help_text="Whether a role of the account is used with one alone.")


class SecondStepWriter(WriteSerializer):
    mfa_token = serializers.CharField(max_length=100)
    code = serializers.CharField(
        max_length=LONGEST_CODE, required=False, help_text="Six digits of the app, or a recovery code."
    )
    credential = serializers.DictField(
        required=False, help_text="What `navigator.credentials.get` returned, as JSON, in place of a code."
    )

    def to_internal_value(self, data: Any) -> Any:
        # Decided before anything is read, so that everything missing is named at once.
        self.fields["code"].required = not (isinstance(data, Mapping) and "credential" in data)
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("code" in attrs) == ("credential" in attrs):
            raise serializers.ValidationError({"code": "Either a code or a credential is needed."}, code="required")
        return attrs


class PasswordWriter(WriteSerializer):
    request_example: ClassVar[dict[str, Any]] = {"password": "your password"}

    password = PresentPasswordField()


class RemovalWriter(PasswordWriter):
    request_example: ClassVar[dict[str, Any]] = {
        "factor": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44", "password": "your password",
    }  # fmt: skip

    factor = serializers.UUIDField(help_text="Its id.")


class FirstCodeWriter(WriteSerializer):
    code = serializers.CharField(max_length=LONGEST_CODE, help_text="The code that the app shows now.")
    name = serializers.CharField(max_length=80, required=False, allow_blank=True)


class ResetWriter(WriteSerializer):
    reason = serializers.CharField(max_length=500)


class NewApp(serializers.Serializer[Any]):
    """What an authenticator app is told; nobody is told it again."""

    secret = serializers.CharField()
    otpauth_uri = serializers.CharField(help_text="The same as an address, to be shown as a QR code.")


class Confirmed(serializers.Serializer[Any]):
    """An access token in place of the one that the change has outdated, and recovery codes if they are the first."""

    access = serializers.CharField()
    expires_in = serializers.IntegerField()
    recovery_codes = serializers.ListField(child=serializers.CharField())


class RecoveryCodes(serializers.Serializer[Any]):
    """Recovery codes, which nobody is shown again."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class SecondStepView(PlainView):
    """The second step of a log-in."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    documented_statuses = {"post": (401,)}

    @extend_schema(operation_id="auth_token_mfa", request=SecondStepWriter, responses=NewSession)
    def post(self, request: Request) -> Response:
        """Exchange the token of the first step and a code for an access and a refresh token."""
        values, now = validated(SecondStepWriter, request), timezone.now()
        try:
            opened = _opened(values, now)
        except services.InvalidPendingLogInError as error:
            raise AuthenticationFailed("The log-in has expired; begin anew.", code="invalid_mfa_token") from error
        except services.WrongCodeError as error:
            raise AuthenticationFailed("The code is not right, or too many were tried.", code="wrong_code") from error
        return Response(new_session(opened, at=now))


def _opened(values: dict[str, Any], at: datetime) -> services.Opened:
    token = values["mfa_token"]
    if "credential" in values:
        return services.complete_with_key(token=token, credential=values["credential"], at=at)
    return services.complete_log_in(token=token, code=values["code"], at=at)


def new_session(opened: services.Opened, *, at: Any) -> dict[str, Any]:
    """Return what a log-in in two steps answers with."""
    device = devices.token_of(opened.tokens.user.pk, device=opened.device, at=at)
    return {**pair_of(opened.tokens), "device": device}


class OwnView(PlainView):
    """A view of one's own second factors, which those see who have yet to set one up."""

    answers_before_enrollment = True


class FactorsView(OwnView):
    """One's own second factors."""

    required_permissions = {"get": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa", responses=SecondFactors)
    def get(self, request: Request) -> Response:
        """Show which second factors the account has."""
        user: Any = request.user
        return Response(
            SecondFactors(
                {
                    "factors": visible(SecondFactor.objects.confirmed(), user).order_by("confirmed_at"),
                    "recovery_codes_left": RecoveryCode.objects.filter(user=user, used_at__isnull=True).count(),
                    "is_required": means.is_demanded_of(user),
                }
            ).data
        )


class AppView(OwnView):
    """Adding an authenticator app."""

    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa_totp", request=PasswordWriter, responses=NewApp)
    def post(self, request: Request) -> Response:
        """Answer with the secret of a new app, which counts once it is confirmed."""
        enrolment = services.begin_app(_user(request), **_reauthentication(request), at=timezone.now())
        return Response({"secret": enrolment.secret, "otpauth_uri": enrolment.uri})


class AppConfirmView(OwnView):
    """Confirming an authenticator app."""

    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa_totp_confirm", request=FirstCodeWriter, responses=Confirmed)
    def post(self, request: Request) -> Response:
        """Let the new app count, which ends every other session; the first time, answer with recovery codes."""
        claims: Any = request.auth
        values, now = validated(FirstCodeWriter, request), timezone.now()
        enrolled = services.confirm_app(_user(request), **values, session_id=claims.session_id, at=now)
        return Response(confirmed(request, enrolled, at=now))


class FactorRemovalView(OwnView):
    """Removing a second factor."""

    documented_statuses = {"post": (404,)}
    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa_factor_remove", request=RemovalWriter, responses=Confirmed)
    def post(self, request: Request) -> Response:
        """Remove a factor, which ends every other session; not the last one while a role needs it."""
        claims: Any = request.auth
        values, now = validated(RemovalWriter, request), timezone.now()
        services.remove_factor(_user(request), **values, session_id=claims.session_id, at=now)
        return Response(confirmed(request, services.Enrolled(claims.amr, ()), at=now))


class RecoveryCodesView(OwnView):
    """Recovery codes."""

    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_mfa_recovery_codes", request=PasswordWriter, responses=RecoveryCodes)
    def post(self, request: Request) -> Response:
        """Answer with ten recovery codes; those of before are none any more."""
        codes = services.renew_recovery_codes(_user(request), **_reauthentication(request), at=timezone.now())
        return Response({"recovery_codes": codes})


class FactorResetViewSet(BaseViewSet[User]):
    """Taking the second factors from somebody who has lost them."""

    queryset = User.objects.all()
    list_serializer_class = UserSerializer
    write_serializers = {"reset_factors": ResetWriter}
    action_permissions = {"reset_factors": "accounts.delete_secondfactor"}
    idempotent_posts = False

    @extend_schema(operation_id="users_factors_reset", request=ResetWriter, responses={204: None})
    def reset_factors(self, request: Request, pk: str) -> Response:
        """Remove every second factor of an account and end its sessions; the reason goes on record."""
        with transaction.atomic():
            user = self.locked()
            services.reset_factors(user, by=self.actor, at=timezone.now(), **self.validated(request.data))
        return Response(status=status.HTTP_204_NO_CONTENT)


def confirmed(request: Request, enrolled: services.Enrolled, *, at: Any) -> dict[str, Any]:
    """Return an access token for the account as it is now, and the recovery codes."""
    claims: Any = request.auth
    continued = services.continue_session(_user(request), replace(claims, amr=enrolled.amr), at=at)
    return {
        "access": continued.access,
        "expires_in": int(settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
        "recovery_codes": list(enrolled.recovery_codes),
    }


def _user(request: Request) -> Any:
    return request.user


def _reauthentication(request: Request) -> dict[str, Any]:
    claims: Any = request.auth
    return {"password": validated(PasswordWriter, request)["password"], "session_id": claims.session_id}
