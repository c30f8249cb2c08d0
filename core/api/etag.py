"""Entity tags: what a client has seen, and whether it may still change it.

The tag of a versioned row is `"<version>-<digest>"`: the digest identifies the representation for
`If-None-Match`, the version alone decides `If-Match`, so that a row may be read with one set of
fields and changed with another.
"""

import hashlib
from typing import Any

from django.http import HttpResponse
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.renderers import dumps
from core.models import VersionedModel


class PreconditionFailed(APIException):
    """The row is no longer what the client read."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"
    default_detail = "The row was changed since it was read; read it again."


def of(payload: Any, instance: object = None, *, beyond: str = "") -> str:
    """Return the tag of a payload, and of the row it shows where it shows one.

    `beyond` identifies what was read that the row's version says nothing of; a resource compares it by `beyond_in`.
    """
    digest = hashlib.blake2b(dumps(payload), digest_size=12).hexdigest()
    if not isinstance(instance, VersionedModel):
        return f'"{digest}"'
    return f'"{instance.version}-{digest}-{beyond}"' if beyond else f'"{instance.version}-{digest}"'


def beyond_in(header: str | None) -> str:
    """Return what the tag in `If-Match` identifies beyond version and digest: of none or of several tags, nothing."""
    tags = _opaque(header or "")
    return tags[0].partition("-")[2].partition("-")[2] if len(tags) == 1 else ""


class PreconditionRequired(APIException):
    """The row may be changed by those alone who say what they have read of it."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_code = "precondition_required"
    default_detail = "Send If-Match with the tag that you read."


def _opaque(header: str) -> list[str]:
    # A proxy that compresses weakens tags; what is compared here does not depend on the encoding.
    return [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]


def matches(header: str, tag: str) -> bool:
    """Say whether `If-None-Match` names the tag."""
    return header.strip() == "*" or tag.strip('"') in _opaque(header)


def unchanged(tag: str) -> HttpResponse:
    """Return the answer to whoever has what the tag names."""
    response = HttpResponse(status=status.HTTP_304_NOT_MODIFIED)
    response["ETag"] = tag
    del response["Content-Type"]
    return response


def require_match(header: str | None, instance: object) -> None:
    """Raise `PreconditionFailed` unless `If-Match` is absent, `*` or of the row's version."""
    if header is None or header.strip() == "*" or not isinstance(instance, VersionedModel):
        return
    if str(instance.version) not in [tag.partition("-")[0] for tag in _opaque(header)]:
        raise PreconditionFailed


def require_stated(header: str | None) -> None:
    """Raise `PreconditionRequired` unless `If-Match` says what was read, which `*` does not."""
    if header is None or header.strip() == "*":
        raise PreconditionRequired


class TaggedReadMixin(APIView):
    """Gives every answer to a GET a tag, and answers 304 to whoever names it."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or response.status_code != status.HTTP_200_OK:
            return response
        if not response.has_header("ETag"):
            response["ETag"] = of([response.data, getattr(response, "meta", None)])
        if matches(request.headers.get("If-None-Match", ""), response["ETag"]):
            return unchanged(response["ETag"])
        return response
