"""Forms with files: read whole or refused, and each part once."""

import re
from typing import IO, Any, ClassVar

from django.http.multipartparser import MultiPartParser as FormReader
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

from core.api.parsers import IncompleteBodyError, UnreadableUnicodeError
from core.api.serializers import WriteSerializer
from core.errors import InvalidError, raise_all

# More than Django reads of the headers of a part.
LONGEST_HEADERS = 4096
_NAME = re.compile(rb'\bname="([^"]*)"')


class RepeatedPartError(InvalidError):
    """A part of a form occurs more than once, so that nobody knows which of them was meant."""

    code = "repeated_part"
    title = "The part of the form may occur only once."


class _Watched:
    """A stream that counts what was read of it, and refuses parts whose headers are no text.

    Django passes over such a part, which would then be missed as if it had not been sent.
    """

    def __init__(self, stream: IO[bytes], boundary: str) -> None:
        self._stream = stream
        self._delimiter = f"--{boundary}".encode(errors="replace")
        # What was read and may belong to headers that are not read to their end.
        self._held = b""
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        read = self._stream.read(size)
        self.count += len(read)
        self._look_at_headers(self._held + read)
        return read

    def _look_at_headers(self, seen: bytes) -> None:
        while (start := seen.find(self._delimiter)) >= 0:
            seen = seen[start:]
            headers, end, rest = seen[:LONGEST_HEADERS].partition(b"\r\n\r\n")
            if not end and len(seen) < LONGEST_HEADERS:
                self._held = seen
                return
            _require_text(headers if end else b"")
            seen = rest + seen[LONGEST_HEADERS:] if end else seen[len(self._delimiter) :]
        self._held = seen[-len(self._delimiter) :]


def _require_text(headers: bytes) -> None:
    try:
        headers.decode()
    except UnicodeDecodeError:
        named = _NAME.search(headers)
        field = named[1].decode("utf-8", "replace") if named else ""
        detail = "The headers of the part, such as the name of its file, are not valid UTF-8."
        raise UnreadableUnicodeError(detail, field=field) from None


class WholeFormParser(MultiPartParser):
    """Reads a form with files. One that was cut off is refused: its last part would pass for a whole file."""

    reader: ClassVar[type[FormReader]] = FormReader

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        request = parser_context["request"]
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        counted: Any = _Watched(stream, boundary)
        meta = {**request.META, "CONTENT_TYPE": media_type}
        encoding = parser_context.get("encoding") or "utf-8"
        try:
            values, files = self.reader(meta, counted, request.upload_handlers, encoding).parse()
        except MultiPartParserError as unreadable:
            raise ParseError(f"This is no form with files: {unreadable}") from None
        if counted.count < int(request.META.get("CONTENT_LENGTH") or 0):
            for file in (file for _, found in files.lists() for file in found):
                file.close()
            raise IncompleteBodyError
        return DataAndFiles(values, files)


class FormWriter(WriteSerializer):
    """Input of a service that comes as a form."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, MultiValueDict):
            raise_all([RepeatedPartError(field=name) for name, parts in data.lists() if len(parts) > 1])
        return super().to_internal_value(data)
