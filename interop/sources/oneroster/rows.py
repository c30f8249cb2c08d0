"""Rows of a OneRoster package on their way to being records of ours."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interop.faults import Fault
from interop.sources.oneroster.directory import SCHEME, Directory
from interop.sources.oneroster.package import Package
from interop.sources.records import Record, Remark, external

Raw = Mapping[str, str]
DIGEST = 12
UUID_LENGTH = 36


def code_of(sourced_id: str, limit: int) -> str:
    """Return a code of at most `limit` characters that no other id has."""
    if len(sourced_id) <= limit:
        return sourced_id
    bare = sourced_id.replace("-", "")
    if len(bare) <= limit and len(sourced_id) == UUID_LENGTH:
        return bare
    digest = hashlib.sha256(sourced_id.encode()).hexdigest()[:DIGEST]
    return f"{sourced_id[: limit - DIGEST - 1]}-{digest}"


def notes_on(code: str, given: str) -> list[Fault]:
    """Say of a code that it is not the one that was given, when something of that is missing in it."""
    if code in (given, given.replace("-", "")):
        return []
    return [Fault("shortened_code", f"The code is too long and was shortened to {code}.")]


def named(sourced_id: str) -> str:
    """Return the name under which a row's id is kept."""
    return f"{SCHEME}:{sourced_id}"


def to(sourced_id: str) -> dict[str, str]:
    """Return a reference to the row with this id."""
    return external(SCHEME, sourced_id)


def said(**values: str) -> dict[str, Any]:
    """Return what is not blank: a blank says nothing, and is no reason to forget what is known."""
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its file, its line, and what it says."""

    name: str
    number: int
    raw: Raw

    def __getitem__(self, column: str) -> str:
        return self.raw[column]

    @property
    def sourced_id(self) -> str:
        return self.raw["sourcedId"]

    @property
    def is_deleted(self) -> bool:
        return self.raw["status"] == "tobedeleted"

    def record(
        self,
        resource: str,
        key: str,
        values: dict[str, Any],
        *,
        initial: dict[str, Any] | None = None,
        notes: Sequence[Fault] = (),
    ) -> Record:
        """Return the record that the row stands for; without `initial` it can only change what exists."""
        return Record(
            resource,
            key,
            values,
            f"{self.name}.csv",
            self.number,
            self.raw,
            dict(initial or {}),
            named(self.sourced_id),
            notes=list(notes),
            must_exist=self.is_deleted or initial is None,
        )


class Reading:
    """A checked package, what is known from earlier ones, and what is to be said of this one."""

    def __init__(self, package: Package, directory: Directory) -> None:
        self.package = package
        self.directory = directory
        self.rows_read: Counter[str] = Counter()
        self.remarks: list[Remark] = []

    def rows(self, name: str) -> Iterator[Row]:
        """Yield the rows of a file, none if the package lacks it."""
        for number, raw in self.package.rows(name):
            yield Row(name, number, raw)

    def remark(self, code: str, detail: str, name: str, rows: int) -> None:
        """Say something about so many rows of a file; nothing about none."""
        if rows:
            self.remarks.append(Remark(code, detail, f"{name}.csv", rows))
