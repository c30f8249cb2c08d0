"""CSV of every kind is read as it was meant, and what cannot be is refused where it stands."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from interop.faults import (
    DuplicateHeaderError,
    EmptyFileError,
    FileRefusedError,
    TooLargeError,
    TooManyColumnsError,
    UnreadableFileError,
    UnreadableTextError,
)
from interop.reading.delimited import MAX_CELL, MAX_LINE, read_csv
from interop.reading.rows import Table
from tests.interop.data import DATA, needs

SPECTRUM = DATA / "robustness" / "csv-spectrum.tar.gz"


def table(content: bytes | str) -> Table:
    raw = content if isinstance(content, bytes) else content.encode()
    return read_csv(io.BytesIO(raw), "file.csv")


def dicts(content: bytes | str) -> list[dict[str, str]]:
    read = table(content)
    return [read.as_dict(row) for row in read.rows if row.fault is None]


def spectrum() -> Iterator[Any]:
    if not SPECTRUM.exists():
        yield pytest.param("", b"", "[]", id="absent")
        return
    with tarfile.open(SPECTRUM) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]  # it is a file
    for name, content in sorted(files.items()):
        if name.endswith(".csv"):
            stem = name.removeprefix("csvs/").removesuffix(".csv")
            yield pytest.param(stem, content, files[f"json/{stem}.json"].decode(), id=stem)


@needs("robustness")
@pytest.mark.parametrize(("stem", "content", "meaning"), list(spectrum()))
def test_the_spectrum_of_csv_is_read_with_its_meaning(stem: str, content: bytes, meaning: str) -> None:
    means = json.loads(meaning)
    expected = means if isinstance(means, list) else [means]

    found = dicts(content)

    if stem == "location_coordinates":  # the corpus has made up another telephone number for its JSON
        for row in (*found, *expected):
            del row["Contact Phone Number"]
    assert found == expected


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert dicts(b"\xef\xbb\xbfa,b\r\n1,2\r\n") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_says_what_separates_cells(delimiter: str) -> None:
    content = f'"a, b"{delimiter}c{delimiter}d\n1{delimiter}2{delimiter}3\n'

    assert dicts(content) == [{"a, b": "1", "c": "2", "d": "3"}]


def test_a_column_alone_needs_no_separator() -> None:
    assert dicts("code\nA,B\n".replace(",", "-")) == [{"code": "A-B"}]


def test_blank_lines_are_passed_over() -> None:
    assert dicts("a,b\n\n1,2\n\r\n3,4\n\n") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"M\xfcller,1", "invalid_unicode"),
        (b"\xed\xa0\x80,1", "invalid_unicode"),
        (b"a\x00b,1", "nul_character"),
        (b"1,2,3", "wrong_column_count"),
        (b"1", "wrong_column_count"),
        (b'"a"b,1', "malformed_row"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line_and_the_others_go_on(line: bytes, code: str) -> None:
    rows = list(table(b"a,b\n1,2\n" + line + b"\n3,4\n").rows)

    assert [(row.number, row.fault.code if row.fault else "") for row in rows] == [(2, ""), (3, code), (4, "")]


def test_the_line_of_a_row_is_the_one_it_begins_on() -> None:
    rows = list(table('a,b\n"one\ntwo",2\n3,4\n').rows)

    assert [row.number for row in rows] == [2, 4]


def test_a_quotation_that_never_ends_is_a_malformed_row() -> None:
    (row,) = table('a,b\n"1,2\n').rows

    assert row.fault is not None
    assert row.fault.code == "malformed_row"


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (b"", EmptyFileError),
        (b"\n", EmptyFileError),
        (b"\xef\xbb\xbf", EmptyFileError),
        (b" , \n1,2\n", EmptyFileError),
        (b"a,A\n1,2\n", DuplicateHeaderError),
        (b"First Name,first_name\n1,2\n", DuplicateHeaderError),
        (b"a,,b\n1,2,3\n", DuplicateHeaderError),
        ("a,b\n".encode("utf-16"), UnreadableTextError),
        (b"a,\xff\n", UnreadableTextError),
        (b"a,b\x00\n", UnreadableTextError),
        (b'"a"x,b\n', UnreadableFileError),
        (b"a,b\r1,2\r", UnreadableFileError),
        (",".join(f"c{n}" for n in range(501)).encode() + b"\n", TooManyColumnsError),
        (b"a" * (MAX_LINE + 1), TooLargeError),
    ],
)
def test_a_file_whose_header_means_nothing_is_refused(content: bytes, refused: type[FileRefusedError]) -> None:
    with pytest.raises(refused) as refusal:
        table(content)

    assert refusal.value.meta["file"] == "file.csv"


@pytest.mark.parametrize(
    "row", [b"x" * (MAX_LINE + 1), b'"' + b"x\n" * MAX_CELL + b'"'], ids=["an endless line", "an endless cell"]
)
def test_what_could_go_on_for_ever_refuses_the_file_at_its_line(row: bytes) -> None:
    read = table(b"a\n1\n" + row + b"\n2\n")

    with pytest.raises(TooLargeError) as refusal:
        list(read.rows)
    assert refusal.value.meta == {"file": "file.csv", "line": 3}


def test_a_cell_as_large_as_allowed_is_read() -> None:
    cell = "x" * (MAX_CELL - 1)

    assert dicts(f"a\n{cell}\n") == [{"a": cell}]
