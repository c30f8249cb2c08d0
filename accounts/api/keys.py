"""HTTP for the keys that verify access tokens."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import published_keys
from core.api.permissions import PublicByName
from core.api.renderers import PROBLEM_TYPE, JSONRenderer, completed, dumps
from core.api.views import PlainView


class PublicKey(serializers.Serializer[Any]):
    """One public key of the curve P-256, as a JSON Web Key."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    y = serializers.CharField()
    kid = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()


class KeySet(serializers.Serializer[Any]):
    """A JSON Web Key Set."""

    keys = PublicKey(many=True)


class KeySetRenderer(JSONRenderer):
    """A JSON Web Key Set, which its readers look for bare; a refusal is a problem document as everywhere."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        context = renderer_context or {}
        if getattr(context.get("response"), "content_type", None) == PROBLEM_TYPE:
            data = completed(data, context.get("request"))
        return dumps(data)


class KeySetView(PlainView):
    """The public keys by which anybody can verify an access token (RFC 7517)."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    renderer_classes = (KeySetRenderer,)

    @extend_schema(operation_id="auth_jwks", responses=KeySet)
    def get(self, request: Request) -> Response:
        """List the public keys.

        The one that signs, those that signed tokens which have not expired yet, and the next.
        """
        return Response({"keys": published_keys()})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code in (status.HTTP_200_OK, status.HTTP_304_NOT_MODIFIED):
            response["Cache-Control"] = f"public, max-age={int(settings.JWKS_MAX_AGE.total_seconds())}"
        return response
