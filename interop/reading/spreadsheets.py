"""The first sheet of an XLSX workbook, read row by row.

A workbook is a ZIP of XML: the archive's limits are checked before anything is unpacked, and a part
that declares a document type, with entities or without, is refused before openpyxl reads any.
Formulas count as the value they last had; nothing is calculated.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml.ElementTree import iterparse
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from interop.faults import EmptyFileError, Fault, TooLargeError, UnreadableFileError
from interop.reading.archives import open_archive
from interop.reading.delimited import MAX_CELL
from interop.reading.rows import MAX_COLUMNS, Row, Table, checked_header, fitted

UNPACKED_LIMIT = 50 * 1024 * 1024
XML = (".xml", ".rels", ".vml")
# What openpyxl raises on a workbook that is not one; what defusedxml forbids is a ValueError.
UNREADABLE = (
    BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, IndexError, AttributeError, OSError,
    EOFError, ArithmeticError, NotImplementedError, zlib.error,
)  # fmt: skip

BEYOND_NUMBERS = Fault("number_out_of_range", "The row contains a number that no spreadsheet can hold.")


def read_xlsx(stream: BinaryIO, file: str) -> Table:
    """Return the table on the workbook's first sheet; raise a `FileRefusedError` if there is none."""
    try:
        with open_archive(stream, file, unpacked_limit=UNPACKED_LIMIT) as archive:
            _refuse_document_types(archive)
        workbook = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        sheet = workbook.worksheets[0]
        # The sheet's own word for its size may be a lie; read_only mode would pad every row to it.
        sheet.reset_dimensions()
        values = sheet.iter_rows(values_only=True)
        first = next(values, None)
    except UNREADABLE:
        raise UnreadableFileError("This is not a readable XLSX workbook.", file=file) from None
    if first is None:
        raise EmptyFileError(file=file)
    try:
        names = [_text(value, file, 1) for value in first]
    except OverflowError:
        raise UnreadableFileError("The header contains a number that cannot be.", file=file, line=1) from None
    header = checked_header(names, file)
    return Table(file, header, _rows(values, file, len(header)))


def _refuse_document_types(archive: ZipFile) -> None:
    """Raise a `ValueError` for a part with a document type, which can stand before its first element alone."""
    for entry in archive.infolist():
        if entry.filename.casefold().endswith(XML):
            with archive.open(entry) as part:
                next(iterparse(part, events=("start",), forbid_dtd=True), None)


def _rows(values: Iterator[Sequence[Any]], file: str, width: int) -> Iterator[Row]:
    number = 1
    while True:
        number += 1
        try:
            cells = next(values)
        except StopIteration:
            return
        except UNREADABLE:
            raise UnreadableFileError("The sheet cannot be read to its end.", file=file, line=number) from None
        try:
            texts = [_text(value, file, number) for value in cells[: MAX_COLUMNS + 1]]
        except OverflowError:
            yield Row(number, [], BEYOND_NUMBERS)
            continue
        while len(texts) > width and not texts[-1].strip():
            texts.pop()
        if any(text.strip() for text in texts):
            row = fitted(number, [*texts, *[""] * (width - len(texts))], width)
            nul = any("\x00" in text for text in texts)
            yield Row(number, [], Fault("nul_character", "The row contains a NUL character.")) if nul else row


def _text(value: Any, file: str, line: int) -> str:
    """Return what a cell would read in CSV: ISO dates, plain numbers, true and false."""
    text = "" if value is None else WRITTEN.get(type(value), str)(value)
    if len(text) > MAX_CELL:
        raise TooLargeError(f"A cell has at most {MAX_CELL} characters.", file=file, line=line)
    return text


def _number(value: float) -> str:
    """Return a number in digits; raise `OverflowError` for what is none."""
    if not isfinite(value):
        raise OverflowError
    # A spreadsheet has no whole numbers: 12 is stored as 12.0.
    return format(Decimal(repr(value)), "f").removesuffix(".0")


WRITTEN: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    datetime: lambda value: value.date().isoformat() if value.time() == time() else value.isoformat(),
    date: date.isoformat,
    time: time.isoformat,
    float: _number,
}
