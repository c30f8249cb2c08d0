"""HTTP for log-ins elsewhere, by OpenID Connect."""

import logging
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import oidc, services
from accounts.api.auth import LOG_IN_ANSWER, answer_to, device_of, validated
from accounts.models import FederatedIdentity
from core.api.exceptions import ServiceUnavailable
from core.api.permissions import AUTHENTICATED, PublicByName
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.views import PlainView
from core.visibility import visible

logger = logging.getLogger(__name__)


class ProviderUnavailable(ServiceUnavailable):
    """The other institution's log-in does not answer."""

    default_code = "provider_unavailable"
    default_detail = "The provider does not answer; try again in a moment."


class ProviderBrief(serializers.Serializer[Any]):
    """Where people may log in instead of here."""

    name = serializers.CharField()
    title = serializers.CharField()


class DepartureWriter(WriteSerializer):
    provider = serializers.CharField(max_length=40, help_text="Its name.")
    redirect_uri = serializers.CharField(max_length=500, help_text="Where the browser is sent back to.")


class Departure(serializers.Serializer[Any]):
    """Where to send the browser. `binding` stays with the client, and is sent with what the browser brings back."""

    authorization_url = serializers.CharField()
    binding = serializers.CharField()
    expires_in = serializers.IntegerField()


class ReturnWriter(WriteSerializer):
    provider = serializers.CharField(max_length=40, help_text="Its name.")
    state = serializers.CharField(max_length=200)
    code = serializers.CharField(max_length=4000)
    binding = serializers.CharField(max_length=200, help_text="What the beginning of the log-in answered with.")


class Identity(BaseListSerializer[FederatedIdentity]):
    """A log-in elsewhere that opens the account."""

    class Meta:
        model = FederatedIdentity
        fields = ["id", "issuer", "email", "last_used_at", "created_at"]


class UnlinkWriter(WriteSerializer):
    identity = serializers.UUIDField(help_text="Its id.")


class PublicView(PlainView):
    """A view for people who have yet to log in."""

    authentication_classes = ()
    permission_classes = (PublicByName,)


class ProvidersView(PublicView):
    """The providers."""

    @extend_schema(operation_id="auth_oidc", responses=ProviderBrief(many=True))
    def get(self, request: Request) -> Response:
        """List where people may log in instead of here."""
        return Response(ProviderBrief(list(oidc.providers().values()), many=True).data)


class DepartureView(PublicView):
    """Beginning a log-in elsewhere."""

    documented_statuses = {"post": (404, 503)}

    @extend_schema(operation_id="auth_oidc_start", request=DepartureWriter, responses=Departure)
    def post(self, request: Request) -> Response:
        """Answer with where to send the browser."""
        values = validated(DepartureWriter, request)
        try:
            departure = services.begin_federated(**values, at=timezone.now())
        except oidc.ProviderUnavailableError as error:
            raise unavailable(values["provider"], error) from error
        return Response(
            {
                "authorization_url": departure.url,
                "binding": departure.binding,
                "expires_in": departure.expires_in,
            }
        )


class ReturnView(PublicView):
    """Completing a log-in elsewhere."""

    documented_statuses = {"post": (401, 403, 404, 503)}

    @extend_schema(operation_id="auth_oidc_callback", request=ReturnWriter, responses=LOG_IN_ANSWER)
    def post(self, request: Request) -> Response:
        """Exchange what the browser brought back for a session, or for what the second step is taken with."""
        values, now = validated(ReturnWriter, request), timezone.now()
        try:
            admitted = services.complete_federated(**values, **device_of(request), at=now)
        except services.InvalidStateError as error:
            raise AuthenticationFailed("This log-in was not begun here, or is over.", code="invalid_state") from error
        except oidc.ProviderRefusedError as error:
            logger.warning("federation.refused", extra={"provider": values["provider"], "reason": str(error)})
            raise AuthenticationFailed("What the provider says does not count.", code="provider_refused") from error
        except services.InvalidCredentialsError as error:
            raise AuthenticationFailed("No active account belongs to it.", code="invalid_credentials") from error
        except oidc.ProviderUnavailableError as error:
            raise unavailable(values["provider"], error) from error
        return Response(answer_to(admitted, at=now))


def unavailable(provider: str, error: Exception) -> ProviderUnavailable:
    """Say so in the log, too."""
    logger.warning("federation.unavailable", extra={"provider": provider, "reason": str(error)})
    return ProviderUnavailable()


class IdentitiesView(PlainView):
    """The log-ins elsewhere that open the caller's account."""

    required_permissions = {"get": AUTHENTICATED}

    @extend_schema(operation_id="auth_identities", responses=Identity(many=True))
    def get(self, request: Request) -> Response:
        """List them."""
        rows = visible(FederatedIdentity.objects.all(), request.user).order_by("created_at")
        return Response(Identity(rows, many=True).data)


class UnlinkView(PlainView):
    """Unlinking a log-in elsewhere."""

    documented_statuses = {"post": (404,)}
    required_permissions = {"post": AUTHENTICATED}

    @extend_schema(operation_id="auth_identities_unlink", request=UnlinkWriter, responses={204: None})
    def post(self, request: Request) -> Response:
        """Let it open the account no longer."""
        user: Any = request.user
        services.unlink_identity(user, **validated(UnlinkWriter, request))
        return Response(status=status.HTTP_204_NO_CONTENT)
