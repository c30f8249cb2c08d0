"""Forms with files: read whole or refused, and each part once."""

from typing import IO, Any, ClassVar

from django.http.multipartparser import MultiPartParser as FormReader
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

from core.api.parsers import IncompleteBodyError
from core.api.serializers import WriteSerializer
from core.errors import InvalidError, raise_all


class RepeatedPartError(InvalidError):
    """A part of a form occurs more than once, so that nobody knows which of them was meant."""

    code = "repeated_part"
    title = "The part of the form may occur only once."


class _Counted:
    """A stream that counts what was read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        read = self._stream.read(size)
        self.count += len(read)
        return read


class WholeFormParser(MultiPartParser):
    """Reads a form with files. One that was cut off is refused: its last part would pass for a whole file."""

    reader: ClassVar[type[FormReader]] = FormReader

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        request = parser_context["request"]
        counted: Any = _Counted(stream)
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
