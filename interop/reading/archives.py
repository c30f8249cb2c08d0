"""Packed files, opened only when unpacking them cannot hurt.

A ZIP is judged by its directory before anything is unpacked, and Python's `zipfile` never gives
out more bytes of an entry than the directory says. A gzip stream says nothing beforehand, so it is
counted while it is read.
"""

import gzip
import io
import stat
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from interop.faults import TooLargeError, UnreadableFileError, UnsafeArchiveError
from interop.reading.stored import Place

MAX_ENTRIES = 1_000
MAX_RATIO = 100
MAX_UNPACKED = 500 * 1024 * 1024
# Below this a high ratio is a small file of blanks, not a bomb.
RATIO_FROM = 100 * 1024
PACKED = (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst")
ENCRYPTED = 0x1


@contextmanager
def open_archive(
    source: Path | BinaryIO, file: str, *, unpacked_limit: int = MAX_UNPACKED, packed_entries: tuple[str, ...] = ()
) -> Generator[ZipFile]:
    """Open a ZIP whose directory is harmless; raise `UnsafeArchiveError` or `UnreadableFileError`.

    `packed_entries` names the endings of packed files that may lie in it.
    """
    try:
        with ZipFile(source) as archive:
            _refuse_unsafe(archive.infolist(), file, unpacked_limit, packed_entries)
            yield archive
    except (BadZipFile, LargeZipFile, NotImplementedError, EOFError, zlib.error):
        raise UnreadableFileError("This is not a readable ZIP archive.", file=file) from None


def _refuse_unsafe(entries: list[ZipInfo], file: str, unpacked_limit: int, packed_entries: tuple[str, ...]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise UnsafeArchiveError(f"An archive has at most {MAX_ENTRIES} entries.", file=file)
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > unpacked_limit:
        raise UnsafeArchiveError(f"An archive unpacks to at most {unpacked_limit} bytes.", file=file)
    _refuse_ratio(unpacked, packed, file)
    names: set[str] = set()
    for entry in entries:
        name = entry.filename
        if problem := _problem(entry, packed_entries):
            raise UnsafeArchiveError(f"{problem}: {name[:80]!r}.", file=file, entry=name[:200])
        if name.casefold() in names:
            raise UnsafeArchiveError(f"An entry occurs twice: {name[:80]!r}.", file=file, entry=name[:200])
        names.add(name.casefold())
        _refuse_ratio(entry.file_size, entry.compress_size, file)


def _problem(entry: ZipInfo, packed_entries: tuple[str, ...]) -> str:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
        return "An entry would lie outside of the archive"
    if entry.flag_bits & ENCRYPTED:
        return "An entry is encrypted"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "An entry is a link"
    suffix = path.suffix.casefold()
    if suffix in PACKED and suffix not in packed_entries:
        return "An entry is itself packed"
    return ""


def _refuse_ratio(unpacked: int, packed: int, file: str) -> None:
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1):
        raise UnsafeArchiveError(f"The content is packed more than {MAX_RATIO} times.", file=file)


class _Counted(io.RawIOBase):
    """A packed stream that refuses to give more than its size allows."""

    def __init__(self, unpacked: BinaryIO, packed: int, file: str, source: BinaryIO | None) -> None:
        self._unpacked = unpacked
        self._source = source
        self._allowed = min(MAX_UNPACKED, max(RATIO_FROM, MAX_RATIO * packed))
        self._given = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._unpacked.read(len(buffer))
        except (OSError, EOFError, zlib.error):
            raise UnreadableFileError("This is not a readable gzip file.", file=self._file) from None
        self._given += len(data)
        if self._given > self._allowed:
            raise TooLargeError("The content is larger than its packed size allows.", file=self._file)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._unpacked.close()
        if self._source is not None:
            self._source.close()
        super().close()


def open_text(place: Place, file: str) -> BinaryIO:
    """Open a plain or gzip-packed file, told apart by its content."""
    stored = place.open("rb")
    is_packed = stored.read(2) == b"\x1f\x8b"
    size = stored.seek(0, io.SEEK_END)
    stored.seek(0)
    return unpacking(cast("BinaryIO", gzip.open(stored, "rb")), size, file, stored) if is_packed else stored


def unpacking(unpacked: BinaryIO, packed: int, file: str, source: BinaryIO | None = None) -> BinaryIO:
    """Return a buffered stream of what a packed file of `packed` bytes holds; it closes `source` along with itself."""
    return cast("BinaryIO", io.BufferedReader(_Counted(unpacked, packed, file, source), 256 * 1024))
