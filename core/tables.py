"""Lines of CSV that people open in spreadsheets: what is data there stays data."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

# Spreadsheets take a cell that begins like this for a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
# So many of a table are written at a time.
LINES = 500


def neutralised(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def plain(text: str) -> str:
    """Return the text that `neutralised` made safe."""
    return text[1:] if text.startswith("'") and text[1:].startswith(DANGEROUS) else text


def cell(value: Any) -> str:
    """Return what a value is in a table: numbers stay numbers, and no text is a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | Decimal) else neutralised(str(value))


def line(values: Iterable[Any]) -> str:
    """Return a line of a table, with its end."""
    written = io.StringIO()
    csv.writer(written).writerow([cell(value) for value in values])
    return written.getvalue()


def document(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield a whole table, many lines at a time; Excel takes it for UTF-8 by its first character."""
    written = ["\ufeff"]
    for row in rows:
        written.append(line(row))
        if len(written) >= LINES:
            yield "".join(written)
            written.clear()
    yield "".join(written)
