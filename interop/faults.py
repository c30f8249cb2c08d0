"""Why a file, or one row of it, cannot be imported.

A fault of the file as a whole is a `FileRefusedError`: nothing of it is imported. A `Fault`
concerns one row; the others go on.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import DomainError, InvalidError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one row: a stable code, the field it concerns, and a sentence."""

    code: str
    detail: str
    field: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def of(cls, error: DomainError) -> list["Fault"]:
        """Return the faults that a domain error stands for."""
        return [cls(single.error_code, single.detail, single.field) for single in error.violations]


class FileRefusedError(InvalidError):
    """The file as a whole cannot be imported. `meta` says where: file, line and field as far as known."""

    code = "file_refused"
    title = "The file cannot be imported."
    field = "file"

    def __init__(self, detail: str = "", *, file: str = "", line: int | None = None, **meta: Any) -> None:
        where = {"file": file or None, "line": line, **meta}
        super().__init__(detail, meta={name: value for name, value in where.items() if value is not None})


class EmptyFileError(FileRefusedError):
    """The file has no header row."""

    code = "empty_file"
    title = "The file is empty."


class UnreadableFileError(FileRefusedError):
    """The file is not of the format it has to be."""

    code = "unreadable_file"
    title = "The file cannot be read."


class UnreadableTextError(FileRefusedError):
    """Bytes where a file has to be readable that are not UTF-8."""

    code = "invalid_unicode"
    title = "The file is not UTF-8 text."


class TooManyColumnsError(FileRefusedError):
    """The header has more columns than any table that an import knows."""

    code = "too_many_columns"
    title = "The file has more columns than an import reads."


class DuplicateHeaderError(FileRefusedError):
    """Two columns have the same name, so that neither has a meaning."""

    code = "duplicate_header"
    title = "Two columns have the same name."


class MissingColumnError(FileRefusedError):
    """Columns that the import cannot do without are not there; `meta.columns` names all of them."""

    code = "missing_column"
    title = "A required column is missing."

    @classmethod
    def of(cls, columns: Sequence[str], file: str, because: str = "") -> "MissingColumnError":
        """Return the error that names these columns, and says why they are missed."""
        named = f"{', '.join(columns)} {'is' if len(columns) == 1 else 'are'} missing"
        what = "The column" if len(columns) == 1 else "The columns"
        return cls(f"{what} {named}{because}.", file=file, line=1, column=columns[0], columns=list(columns))


class UnknownColumnError(FileRefusedError):
    """The mapping names a column that the file lacks, or a field that the import lacks."""

    code = "unknown_column"
    title = "The mapping names a column or a field that does not exist."
    field = "mapping"


class TooLargeError(FileRefusedError):
    """A cell, a line or the unpacked content is larger than anything an import needs."""

    code = "file_too_large"
    title = "The file is larger than an import accepts."


class UnsafeArchiveError(FileRefusedError):
    """The archive has a property that only attacks and accidents have."""

    code = "unsafe_archive"
    title = "The archive is not accepted."


class MissingFileError(FileRefusedError):
    """A file that belongs to the set is not there."""

    code = "missing_file"
    title = "A file of the set is missing."
