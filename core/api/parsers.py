"""JSON in: exactly one meaning, a bounded cost, and nothing that cannot be stored.

RFC 8259 leaves a reader room that attackers and accidents use: duplicate keys, NaN, numbers beyond
every type, unpaired surrogates, bottomless nesting. Each is refused with a code of its own. A byte
order mark is refused too: the RFC forbids sending one. The cost is linear in the body, whose size
is bounded before it is read.
"""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import IO, Any, NoReturn
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest
from rest_framework import status
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from core.errors import InvalidError

MAX_DEPTH = 20
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
# No double needs more digits than 767 to be written exactly.
MAX_NUMBER_LENGTH = 800
SHOWN_KEY_LENGTH = 100

# A string literal, ended or not; the possessive quantifiers keep the match linear in hostile bodies.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class UnreadableJSONError(InvalidError):
    """The body is not JSON as RFC 8259 defines it."""

    code = "invalid_json"
    title = "The body is not valid JSON."


class DuplicateKeyError(InvalidError):
    """An object names the same key twice, so it has no single meaning."""

    code = "duplicate_key"
    title = "An object in the body names a key twice."


class TooDeepError(InvalidError):
    """Arrays and objects are nested deeper than any resource needs."""

    code = "too_deep"
    title = f"The body is nested more than {MAX_DEPTH} levels deep."


class UnreadableUnicodeError(InvalidError):
    """Text that is not valid UTF-8, or holds an unpaired surrogate."""

    code = "invalid_unicode"
    title = "The request contains text that is not valid Unicode."


class NulCharacterError(InvalidError):
    """Text with a NUL character, which the database cannot store."""

    code = "nul_character"
    title = "The request contains a NUL character."


class NumberOutOfRangeError(InvalidError):
    """A number that no 64-bit type can hold."""

    code = "number_out_of_range"
    title = "A number in the body is outside the 64-bit range."


class ObjectExpectedError(InvalidError):
    """The body is an array or a single value."""

    code = "object_expected"
    title = "The body must be a JSON object."


class PayloadTooLarge(APIException):
    """The body is larger than the service reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = "The body is larger than this service accepts."


class LengthRequired(APIException):
    """The body comes in chunks. What is read is as much as Content-Length says: it would pass for an empty one."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = "Say the length of the body in Content-Length."


class IncompleteBodyError(InvalidError):
    """The connection ended before the body did."""

    code = "incomplete_body"
    title = "The body ended early."


class StrictJSONParser(BaseParser):
    """Parses `application/json` in UTF-8; an object, nothing else."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        headers = getattr((parser_context or {}).get("request"), "headers", {})
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType(media_type or "", "Compressed bodies are not read.")
        charset = re.search(r'charset\s*=\s*"?([^\s;"]+)', media_type or "", re.IGNORECASE)
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "", "JSON bodies are read as UTF-8 only.")
        sent = _read(stream)
        # A server hands over what came before the connection ended; whole by chance, it is not what was meant.
        if len(sent) < int(headers.get("Content-Length") or 0):
            raise IncompleteBodyError
        body = loads(sent)
        if not isinstance(body, dict):
            raise ObjectExpectedError
        return body


def loads(body: bytes) -> dict[str, Any] | list[Any]:
    """Return the object or array that `body` holds; raise the error of whatever rule it breaks."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise UnreadableUnicodeError(f"Byte {error.start} of the body does not continue valid UTF-8.") from None
    if "\x00" in text:
        raise NulCharacterError
    _refuse_deep(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableJSONError(f"{error.msg}: line {error.lineno} column {error.colno}.") from None
    if not isinstance(value, dict | list):
        raise ObjectExpectedError
    # Unescaped text was checked above, so only escapes can hide a surrogate or a NUL.
    if "\\u" in text:
        _refuse_unstorable(value)
    return value


def refuse_unreadable_query(request: HttpRequest | Request) -> None:
    """Raise the error of a query string that is not UTF-8 or contains NUL.

    Django would replace the broken bytes and go on with another question than the one asked.
    """
    raw = request.META.get("QUERY_STRING", "")
    query = unquote_to_bytes(raw.encode("latin-1"))
    try:
        query.decode()
    except UnicodeDecodeError:
        raise UnreadableUnicodeError("The query string is not valid UTF-8.") from None
    if b"\x00" in query:
        raise NulCharacterError("The query string contains a NUL character.")


def _read(stream: IO[bytes]) -> bytes:
    limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit is None:
        return stream.read()
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise PayloadTooLarge
    return body


def _refuse_deep(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise TooDeepError


def _refuse_unstorable(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            if "\x00" in item:
                raise NulCharacterError
            try:
                item.encode()
            except UnicodeEncodeError:
                raise UnreadableUnicodeError("A string contains an unpaired surrogate.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            shown = key[:SHOWN_KEY_LENGTH].encode("utf-8", "replace").decode()
            raise DuplicateKeyError(meta={"key": shown})
        seen.add(key)
    return result


def _integer(literal: str) -> int:
    # The length first: converting a very long literal is quadratic, and Python itself refuses it.
    value = int(literal) if len(literal) <= MAX_NUMBER_LENGTH else MAX_INTEGER + 1
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise NumberOutOfRangeError
    return value


def _fraction(literal: str) -> Decimal:
    # Exactly as written: a double would round it before anybody could say that it has too many digits.
    if len(literal) > MAX_NUMBER_LENGTH or not isfinite(float(literal)):
        raise NumberOutOfRangeError
    return Decimal(literal)


def _constant(name: str) -> NoReturn:
    raise UnreadableJSONError(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
