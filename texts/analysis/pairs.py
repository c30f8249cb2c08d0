"""Pairs of texts in a table, read and scored one after the other, however many there are."""

import csv
from collections.abc import Iterator
from functools import lru_cache
from typing import TextIO

from texts.analysis.comparing import Text, compare

COLUMNS = ("id", "text", "source")
LONGEST = 10_000_000
# Many texts are compared with one source after the other.
REMEMBERED = 8


class BadTableError(Exception):
    """The table cannot be read; `str()` says where and why."""


def scores(table: TextIO) -> Iterator[tuple[str, float]]:
    """Yield the id of each row of a CSV table and how much of its `text` stands in its `source`, 0 to 1.

    Raises `BadTableError`, after the rows before what it is about.
    """
    for name, text, source in _rows(table):
        yield name, compare(_text(text), _text(source)).score


@lru_cache(maxsize=REMEMBERED)
def _text(text: str) -> Text:
    return Text(text)


def _rows(table: TextIO) -> Iterator[tuple[str, str, str]]:
    csv.field_size_limit(LONGEST)
    reader = csv.DictReader(table, strict=True)
    try:
        names = list(reader.fieldnames or ())
        if missing := [name for name in COLUMNS if names.count(name) != 1]:
            raise BadTableError(f"the first line has to name the columns {', '.join(COLUMNS)} once each; it does not "
                                f"name {', '.join(missing)} so")  # fmt: skip
        for row in reader:
            if None in row or None in row.values():
                raise BadTableError(f"line {reader.line_num} has not as many fields as the first")
            yield row["id"], row["text"], row["source"]
    except csv.Error as error:
        raise BadTableError(f"after line {reader.line_num} it is no CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise BadTableError(f"after line {reader.line_num} it is not UTF-8: {error.reason}") from error
