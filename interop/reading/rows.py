"""The one shape in which every reader gives a table."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from interop.faults import DuplicateHeaderError, EmptyFileError, Fault, MissingColumnError, TooManyColumnsError

MAX_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on, its cells, and what is wrong with it as text."""

    number: int
    cells: Sequence[str]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, each with as many cells as the header or with a fault."""

    file: str
    header: Sequence[str]
    rows: Iterator[Row]

    def as_dict(self, row: Row) -> dict[str, str]:
        """Return the cells by column; surplus cells have no name and are left out."""
        return dict(zip(self.header, row.cells, strict=False))

    def others(self, columns: Collection[str]) -> list[str]:
        """Return the columns that are none of these."""
        return [name for name in self.header if name not in columns]


def normalised(name: str) -> str:
    """Return the form in which column names are compared: "First Name" is "first_name"."""
    return "_".join(name.strip().casefold().replace("-", " ").replace("_", " ").split())


def checked_header(cells: Sequence[str], file: str) -> list[str]:
    """Return the column names; raise `EmptyFileError`, `TooManyColumnsError` or `DuplicateHeaderError`."""
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise EmptyFileError("The header names no column.", file=file, line=1)
    if len(names) > MAX_COLUMNS:
        detail = f"A table has at most {MAX_COLUMNS} columns; this one has {len(names)}."
        raise TooManyColumnsError(detail, file=file, line=1, at_most=MAX_COLUMNS)
    seen: set[str] = set()
    for name in names:
        if not name:
            raise DuplicateHeaderError("A column has no name.", file=file, line=1)
        if normalised(name) in seen:
            raise DuplicateHeaderError(f"The column {name[:80]!r} occurs twice.", file=file, line=1, column=name[:80])
        seen.add(normalised(name))
    return names


def fitted(number: int, cells: Sequence[str], width: int) -> Row:
    """Return a row that has exactly `width` cells, or says that it has not."""
    if len(cells) == width:
        return Row(number, cells)
    detail = f"The row has {len(cells)} cells where the header has {width}."
    return Row(number, cells, Fault("wrong_column_count", detail))


def require_columns(table: Table, columns: Sequence[str]) -> None:
    """Raise a `MissingColumnError` that names all of `columns` which the table lacks."""
    missing = [name for name in columns if name not in table.header]
    if missing:
        raise MissingColumnError.of(missing, table.file)
