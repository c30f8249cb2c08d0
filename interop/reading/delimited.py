"""CSV as RFC 4180 describes it, in UTF-8 with or without a byte order mark.

Comma, semicolon or tab, whichever separates the header. A row whose bytes are not UTF-8, that
holds a NUL or breaks the quoting is given with its fault and the reading goes on; what makes the
rest of the file untrustworthy (an endless line or cell, an unreadable header) refuses the file.
"""

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO

from interop.faults import EmptyFileError, Fault, TooLargeError, UnreadableFileError, UnreadableTextError
from interop.reading.rows import Row, Table, checked_header, fitted

MAX_LINE = 1024 * 1024
# Python's reader gives up on a cell of more than this; nothing here raises its limit.
MAX_CELL = 128 * 1024
DELIMITERS = ",;\t"

UNREADABLE = Fault("invalid_unicode", "The row is not UTF-8 text.")
NUL = Fault("nul_character", "The row contains a NUL character.")


class _Lines:
    """The decoded lines of a stream, and the fault of those read since it was last taken."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream = stream
        self._file = file
        self._number = 0
        self._fault: Fault | None = None

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(MAX_LINE + 1):
            self._number += 1
            if len(line) > MAX_LINE:
                raise TooLargeError(f"A line has at most {MAX_LINE} bytes.", file=self._file, line=self._number)
            yield self._decoded(line)

    def _decoded(self, line: bytes) -> str:
        if self._number == 1:
            if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise UnreadableTextError("The file is UTF-16; save it as UTF-8.", file=self._file, line=1)
            line = line.removeprefix(codecs.BOM_UTF8)
        if b"\x00" in line:
            self._fault = NUL
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._fault = UNREADABLE
            return line.decode(errors="replace")

    def taken_fault(self) -> Fault | None:
        fault, self._fault = self._fault, None
        return fault


def read_csv(stream: BinaryIO, file: str) -> Table:
    """Return the table that a stream of CSV holds; raise a `FileRefusedError` for its header."""
    lines = _Lines(stream, file)
    source = iter(lines)
    first = next(source, "")
    if not first.strip("\r\n"):
        raise EmptyFileError(file=file)
    # A header cell may be quoted and go on over several lines, so the reader must see the first line too.
    reader = csv.reader(_chained(first, source), delimiter=_delimiter(first), strict=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        raise UnreadableFileError(f"The header cannot be read: {error}.", file=file, line=1) from None
    fault = lines.taken_fault()
    if fault is not None:
        raise UnreadableTextError(fault.detail.replace("row", "header"), file=file, line=1)
    header = checked_header(cells, file)
    return Table(file, header, _rows(reader, lines, file, len(header)))


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(header: str) -> str:
    """Return the candidate that occurs most often outside of quotes in the header."""
    bare = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _rows(reader: Iterator[list[str]], lines: _Lines, file: str, width: int) -> Iterator[Row]:
    number = reader.line_num  # type: ignore[attr-defined]  # csv.reader's own type has it and no name
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise TooLargeError(f"A cell has at most {MAX_CELL} characters.", file=file, line=number) from None
            lines.taken_fault()
            yield Row(number, [], Fault("malformed_row", f"The row cannot be read: {error}."))
        else:
            fault = lines.taken_fault()
            if fault is not None:
                yield Row(number, [], fault)
            elif cells:
                yield fitted(number, cells, width)
        number = reader.line_num  # type: ignore[attr-defined]  # as above
