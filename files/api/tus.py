"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload): the core and four of its extensions.

What every client of tus can do is asked and answered in headers; what else there is to an upload is JSON, as elsewhere.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.http import http_date
from rest_framework.exceptions import APIException

from core.errors import InvalidError
from files.models import FileUpload
from files.store import Readable

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
ALGORITHMS = ("sha1", "sha256", "sha512")
PART_TYPE = "application/offset+octet-stream"
# No file is so large that its length has more digits.
MOST_DIGITS = 15
# What tus adds to the status codes of HTTP.
CHECKSUM_MISMATCH = 460


class TusVersionUnsupported(APIException):
    """The client speaks another version of tus."""

    status_code = 412
    default_code = "tus_version_unsupported"
    default_detail = "Uploads that go on where they broke off speak tus 1.0.0."


class ChecksumMismatch(APIException):
    """What came is not what was sent; none of it is kept."""

    status_code = CHECKSUM_MISMATCH
    default_code = "checksum_mismatch"
    default_detail = "What came is not what the checksum says; none of it is kept."


class InvalidHeaderError(InvalidError):
    """A header that says something about an upload is missing or cannot be read."""

    code = "invalid_header"
    title = "A header is missing or cannot be read."


def require_version(headers: Mapping[str, str]) -> None:
    """Raise `TusVersionUnsupported` for a client that speaks another version; none has to say which it speaks."""
    if headers.get("Tus-Resumable", VERSION).strip() != VERSION:
        raise TusVersionUnsupported


def number_in(headers: Mapping[str, str], name: str) -> int:
    """Return a header that is a number of bytes; raise `InvalidHeaderError` where it is none."""
    text = headers.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise InvalidHeaderError(f"{name} is a number of bytes.", field=name)
    return int(text)


def begun_by(headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what the headers of a creation say of a file, as JSON would; None where they say nothing."""
    if "Upload-Defer-Length" in headers:
        raise InvalidHeaderError("The length of a file is said when its upload begins.", field="Upload-Defer-Length")
    if "Upload-Length" not in headers:
        return None
    told = _metadata(headers.get("Upload-Metadata", ""))
    return {"size": number_in(headers, "Upload-Length"), "name": told.get("filename") or told.get("name") or ""}


def _metadata(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            detail = "Upload-Metadata has keys with values in Base64 of UTF-8, separated by commas."
            raise InvalidHeaderError(detail, field="Upload-Metadata") from error
    return found


@dataclass
class Checksum:
    """What a part is to come to; read through it, it comes to something."""

    digest: Any
    expected: bytes
    content: Readable | None = field(default=None)

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Checksum | None":
        """Return the checksum that a request names; raise `InvalidHeaderError` for one that cannot be computed."""
        text = headers.get("Upload-Checksum")
        if text is None:
            return None
        algorithm, _, encoded = text.strip().partition(" ")
        try:
            expected = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            expected = b""
        if algorithm not in ALGORITHMS or not expected:
            detail = f"Upload-Checksum is one of {', '.join(ALGORITHMS)}, and a digest in Base64."
            raise InvalidHeaderError(detail, field="Upload-Checksum")
        return cls(hashlib.new(algorithm, usedforsecurity=False), expected)

    def read(self, size: int, /) -> bytes:
        """Read on, and count what is read."""
        if self.content is None:
            return b""
        piece = self.content.read(size)
        self.digest.update(piece)
        return piece

    def require_match(self) -> None:
        """Raise `ChecksumMismatch` unless what was read is what was sent."""
        if not hmac.compare_digest(self.digest.digest(), self.expected):
            raise ChecksumMismatch


def spoken() -> dict[str, str]:
    """Return the headers that say what is spoken here."""
    return {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.FILES_MAX_SIZE),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def standing(upload: FileUpload) -> dict[str, str]:
    """Return the headers that say how far an upload is."""
    return {
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.size),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    }
