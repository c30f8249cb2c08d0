"""The form in which every adapter hands over what it has read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from interop.faults import Fault

SEPARATOR = "|"


def compose(*parts: str) -> str:
    """Return one natural key made of several; the separator may occur in the parts."""
    return SEPARATOR.join(part.replace("\\", "\\\\").replace(SEPARATOR, "\\" + SEPARATOR) for part in parts)


def decompose(key: str) -> list[str]:
    """Return the parts that `compose` made a key of."""
    parts, part, is_escaped = list[str](), list[str](), False
    for character in key:
        if is_escaped or character not in ("\\", SEPARATOR):
            part.append(character)
            is_escaped = False
        elif character == SEPARATOR:
            parts.append("".join(part))
            part.clear()
        else:
            is_escaped = True
    return [*parts, "".join(part)]


def external(scheme: str, value: str) -> dict[str, str]:
    """Return a reference to the row that another system knows by `value`."""
    return {"external": f"{scheme}:{value}"}


@dataclass(slots=True)
class Record:
    """One row that is to exist, as a file says it.

    `resource` is the last part of the resource's URL and `key` the row's natural key. `values` are
    JSON: what the row is to hold, references as the natural key of what they refer to or as
    `external(…)`. `initial` holds what only a row that is created gets. `external_id` is the
    `scheme:value` by which the source knows the row. Faults refuse the record; notes tell the
    reader of the report what was assumed. A record that `must_exist` creates nothing: it changes a
    row if there is one. `raw` are the cells that it was made of, as they stood, and no others: it is
    kept, and what a file holds besides may need more protection than the records of an import have.
    """

    resource: str
    key: str
    values: dict[str, Any]
    file: str
    row_no: int
    raw: Mapping[str, str] = field(default_factory=dict)
    initial: dict[str, Any] = field(default_factory=dict)
    external_id: str = ""
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    must_exist: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the report says about a file rather than about one of its rows."""

    code: str
    detail: str
    file: str = ""
    rows: int | None = None


def ignored(columns: Sequence[str], file: str) -> Iterator[Remark]:
    """Yield what is said of a file's columns that nothing reads: their names, and none of their cells."""
    if columns:
        named = ", ".join(name[:80] for name in columns)
        yield Remark("ignored_columns", f"Columns that are not imported: {named}."[:2000], file)


class Source(Protocol):
    """A file or set of files, opened and ready to be read once."""

    @property
    def rows_expected(self) -> int:
        """How many rows the imported files have, as far as that is known before they are read."""
        ...

    @property
    def rows_read(self) -> Counter[str]:
        """How many of them have been read so far, by file."""
        ...

    @property
    def remarks(self) -> list[Remark]: ...

    def records(self) -> Iterable[Record]: ...


def distinct(values: Iterable[str]) -> Iterator[str]:
    """Yield each value once, in the order of first occurrence."""
    return iter(dict.fromkeys(values))
