"""JSON out: one encoder, the success envelope and problem documents.

Decimals leave as strings, instants as RFC 3339 in UTC with `Z`, dates as `YYYY-MM-DD`. What JSON
cannot say exactly (NaN, an infinity, an instant without a time zone) is refused rather than bent,
because a client could not tell a bent value from a true one.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from types import NoneType
from typing import Any

import orjson
from django.utils import timezone
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

PROBLEM_TYPE = "application/problem+json"
BODILESS = frozenset({204, 205, 304})

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def dumps(value: Any) -> bytes:
    """Encode `value` as UTF-8 JSON; raise `TypeError` or `ValueError` for what JSON cannot say."""
    encoded = orjson.dumps(value, _encode, _OPTIONS)
    # The encoder writes NaN and infinities as null, so only a body with a null in it can hide one.
    if b"null" in encoded:
        _refuse_not_finite(value)
    return encoded


def instant(value: datetime) -> str:
    """Return an aware instant as RFC 3339 in UTC."""
    if timezone.is_naive(value):
        raise ValueError("an instant without a time zone names no moment")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _encode(value: Any) -> Any:
    match value:
        case datetime():
            return instant(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return duration_iso_string(value)
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is no JSON value")
            return format(value, "f")
        case Promise():
            return str(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON value")


# What most values are, and nothing is within.
LEAVES = (str, int, NoneType, orjson.Fragment)


def _refuse_not_finite(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, LEAVES):
            continue
        if isinstance(item, float) and not isfinite(item):
            raise ValueError(f"{item} is no JSON value")
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


class JSONRenderer(BaseRenderer):
    """Bare JSON, for the few documents whose shape another standard fixes."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return dumps(data)


class EnvelopeRenderer(JSONRenderer):
    """Wraps whatever a view returns in the success envelope; problem documents are only completed.

    A view says more through `core.api.responses.StandardResponse`: its response carries `message`,
    `meta` and, when the data was read earlier than now, `timestamp`.
    """

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        context = renderer_context or {}
        response = context.get("response")
        if getattr(response, "status_code", 200) in BODILESS:
            return b""
        if getattr(response, "content_type", None) == PROBLEM_TYPE:
            return dumps(completed(data, context.get("request")))
        return dumps(
            envelope(
                data,
                message=getattr(response, "message", "Success"),
                meta=getattr(response, "meta", None),
                timestamp=getattr(response, "timestamp", None),
            )
        )


def envelope(
    data: Any, *, message: str = "Success", meta: Mapping[str, Any] | None = None, timestamp: datetime | None = None
) -> dict[str, Any]:
    """Return the success envelope around `data`; `timestamp` is when it was read, by default now."""
    wrapped = {"success": True, "message": message, "data": data}
    if meta:
        wrapped["meta"] = meta
    return {**wrapped, "timestamp": instant(timestamp or timezone.now())}


def completed(document: Mapping[str, Any], request: Any) -> dict[str, Any]:
    """Add to a problem document which request it answers and when."""
    return {
        **document,
        "request_id": getattr(request, "request_id", ""),
        "timestamp": instant(timezone.now()),
    }


class JSONNegotiation(BaseContentNegotiation):
    """Answers in the one format there is, whatever the client would accept.

    RFC 9110 lets a server disregard `Accept`; a 406 would tell a client nothing that it can use.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
