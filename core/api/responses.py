"""The two shapes of every answer: a success with data, a problem document with reasons.

A view may return a plain `Response(data)`, which the renderer wraps; these classes are for saying
more. A problem document follows RFC 9457 and carries the envelope's members beside the standard's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.conf import settings
from rest_framework.response import Response

from core.api.renderers import PROBLEM_TYPE

DEFAULT_TYPE_BASE = "https://campushub360.example/problems/"

# What a status means here; the standard library's phrases differ between its versions.
REASONS: Mapping[int, str] = {
    400: "Unreadable or invalid input",
    401: "No or bad credentials",
    403: "Not allowed",
    404: "No such resource",
    405: "Method not allowed",
    406: "Not answered in a form that is taken",
    409: "The current state forbids it",
    412: "Changed since it was read",
    411: "Length required",
    413: "Body too large",
    414: "Address too long",
    415: "Unsupported media type",
    416: "No such part",
    422: "Idempotency key used for another request",
    428: "If-Match is required",
    429: "Too many requests",
    431: "Headers too large",
    460: "Checksum mismatch",
    500: "Internal error",
    503: "Temporarily unavailable",
}


class SuccessResponse(Response):
    """Data with a message, `meta` for what is said about it, and the time it was read."""

    def __init__(
        self,
        data: Any = None,
        *,
        message: str = "Success",
        meta: Mapping[str, Any] | None = None,
        timestamp: datetime | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.message = message
        self.meta = meta
        self.timestamp = timestamp


class StandardResponse:
    """Builds both shapes."""

    @staticmethod
    def success(
        data: Any = None,
        message: str = "Success",
        status_code: int = HTTPStatus.OK,
        meta: Mapping[str, Any] | None = None,
        *,
        timestamp: datetime | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with `data`; `timestamp` is when it was read, by default when it is rendered."""
        return SuccessResponse(
            data, message=message, meta=meta, timestamp=timestamp, status=status_code, headers=headers
        )

    @staticmethod
    def error(
        message: str = "The request was refused.",
        errors: Sequence[Mapping[str, Any]] | None = None,
        status_code: int = HTTPStatus.BAD_REQUEST,
        code: str = "invalid",
        *,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with a problem document; `errors` are items as `DomainError.as_dict` makes them."""
        document = problem(status=status_code, code=code, title=message, detail=detail, errors=errors)
        return Response(document, status=status_code, headers=headers, content_type=PROBLEM_TYPE)


def problem(
    *, status: int, code: str, title: str, detail: str = "", errors: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return a problem document, complete but for the request's id and the time (the renderer knows those)."""
    detail = detail or title
    return {
        "type": problem_type(code),
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "success": False,
        "message": title,
        "errors": list(errors or [{"code": code, "field": "", "detail": detail, "meta": {}}]),
    }


def problem_type(code: str) -> str:
    """Return the URL that identifies and explains a code."""
    base: str = getattr(settings, "PROBLEM_TYPE_BASE", DEFAULT_TYPE_BASE)
    return f"{base}{code}"
