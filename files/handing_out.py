"""Handing out the content of a file: always to be saved, never to be shown, and as the type that it was found to be.

The application sends it in blocks, or leaves that to the nginx before it, which knows the folder: `FILES_SENT_FROM` is
where nginx has it, behind a location that nobody else can ask for.
"""

import re
from collections.abc import Iterator
from http import HTTPMethod, HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from core.errors import MissingError
from files.models import FileAsset
from files.services import require_released
from files.store import BLOCK, store

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# A page of its own cannot do anything, should a browser show it after all.
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


class NoSuchPartError(Exception):
    """The content, of `size` bytes, ends before the part that is asked for."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


def tag_of(asset: FileAsset) -> str:
    """Return the entity tag of a content."""
    return f'"{asset.sha256}"'


def response_with(asset: FileAsset, request: HttpRequest) -> HttpResponseBase:
    """Return an answer with the content, or the part of it that the request asks for.

    Raises `InfectedError` and `NotScannedError` for what is held back, `MissingError` when the file was erased a moment
    ago, and `NoSuchPartError` when it ends before that part.
    """
    require_released(asset)
    if not store().has(asset.sha256):
        raise MissingError("The file is no longer there.")
    response: HttpResponseBase
    if settings.FILES_SENT_FROM:
        response = HttpResponse()
        response["X-Accel-Redirect"] = f"{settings.FILES_SENT_FROM}{store().place_of(asset.sha256)}"
    else:
        response = _streamed(asset, request)
        response["Accept-Ranges"] = "bytes"
    response["Content-Type"] = asset.media_type
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=asset.name)
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["ETag"] = tag_of(asset)
    return response


def _streamed(asset: FileAsset, request: HttpRequest) -> HttpResponseBase:
    # A range is defined for GET alone (RFC 9110, 14.2).
    asked = request.headers.get("Range", "") if request.method == HTTPMethod.GET else ""
    part = _part(asked, asset.size)
    if part is None or request.headers.get("If-Range", tag_of(asset)) != tag_of(asset):
        part, status = range(asset.size), HTTPStatus.OK
    elif not part:
        raise NoSuchPartError(asset.size)
    else:
        status = HTTPStatus.PARTIAL_CONTENT
    streamed = StreamingHttpResponse(_blocks(asset.sha256, part), status=status)
    streamed["Content-Length"] = str(len(part))
    if status == HTTPStatus.PARTIAL_CONTENT:
        streamed["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{asset.size}"
    return streamed


def _part(header: str, size: int) -> range | None:
    """Return which bytes a header asks for (RFC 9110, 14.2), none of them if there are none; None to send all."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def _blocks(sha256: str, part: range) -> Iterator[bytes]:
    with store().opened(sha256) as content:
        content.seek(part.start)
        left = len(part)
        while left and (block := content.read(min(BLOCK, left))):
            left -= len(block)
            yield block
