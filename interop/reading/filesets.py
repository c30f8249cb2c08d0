"""A folder or a ZIP of it: files by name, each opened as often as needed."""

import gzip
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from zipfile import ZipFile

from interop.faults import MissingFileError, UnreadableFileError
from interop.reading.archives import open_archive, open_text, unpacking
from interop.reading.delimited import read_csv
from interop.reading.rows import Table
from interop.reading.stored import Place


class FileSet:
    """Files by the last part of their name, wherever in the folder or archive they lie."""

    def __init__(self, members: dict[str, Path | str], archive: ZipFile | None = None) -> None:
        self._members = members
        self._archive = archive

    @property
    def names(self) -> list[str]:
        return sorted(self._members)

    def find(self, *stems: str) -> str | None:
        """Return the name of the CSV file, packed or not, with one of these stems."""
        wanted = {f"{stem}{ending}".casefold() for stem in stems for ending in (".csv", ".csv.gz")}
        return next((name for name in self.names if name.casefold() in wanted), None)

    def need(self, *stems: str) -> str:
        """Return what `find` finds; raise `MissingFileError`."""
        name = self.find(*stems)
        if name is None:
            raise MissingFileError(f"The set lacks {stems[0]}.csv.", file=f"{stems[0]}.csv")
        return name

    def open(self, name: str) -> BinaryIO:
        """Open a file's text, unpacked."""
        member = self._members[name]
        if isinstance(member, Path):
            return open_text(member, name)
        if self._archive is None:
            raise UnreadableFileError(file=name)
        entry = self._archive.open(member)
        if not name.casefold().endswith(".gz"):
            return cast("BinaryIO", entry)
        return unpacking(cast("BinaryIO", gzip.open(entry, "rb")), self._archive.getinfo(member).file_size, name)

    @contextmanager
    def table(self, name: str) -> Generator[Table]:
        """Open a file as a table."""
        with self.open(name) as stream:
            yield read_csv(stream, name)

    def count_rows(self, names: Iterable[str]) -> int:
        """Return about how many rows the files have: their line ends, less the headers."""
        total = 0
        for name in names:
            with self.open(name) as stream:
                total += max(0, count_lines(stream) - 1)
        return total


def count_lines(stream: BinaryIO) -> int:
    """Return how many lines the rest of a stream has; the last needs no line end."""
    lines, last = 0, b"\n"
    while block := stream.read(1024 * 1024):
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (last != b"\n")


@contextmanager
def open_fileset(place: Place, file: str, *, packed_entries: tuple[str, ...] = (".gz",)) -> Generator[FileSet]:
    """Open a folder, or a harmless ZIP; raise a `FileRefusedError` for anything else."""
    with ExitStack() as stack:
        if isinstance(place, Path) and place.is_dir():
            yield FileSet({member.name: member for member in sorted(place.iterdir()) if member.is_file()})
            return
        stored = stack.enter_context(place.open("rb"))
        archive = stack.enter_context(open_archive(stored, file, packed_entries=packed_entries))
        entries = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        yield FileSet({PurePosixPath(name).name: name for name in entries}, archive)
