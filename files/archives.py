"""Archives and documents that are packed: kept only where unpacking them can hurt nobody.

Whoever downloads one will unpack it, and so does the scanner. Each is read here as it would be unpacked, in blocks, in
memory, so that what its directory says is known to be true. An office document may hold another, and lie in an archive;
nothing else that is packed may lie in anything.
"""

import io
import re
import stat
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from core.errors import InvalidError

MOST_MEMBERS, MOST_UNPACKED, MOST_RATIO = 1_000, 50 * 1024 * 1024, 100
# Below this a high ratio is a small file of blanks, not a bomb.
RATIO_FROM = 1024 * 1024
BLOCK, HEAD = 256 * 1024, 512
# What begins so is packed itself; a tape archive says so further on.
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PACKED = re.compile(
    rb"\x1f\x8b|BZh[1-9]1AY&SY|\xfd7zXZ\0|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x28\xb5\x2f\xfd|\x60\xea", re.DOTALL
)
_TAPE, _TAPE_AT = b"ustar", 257
_ENCRYPTED, _LOCAL_HEADER = 0x1, 30
# What is in an office document and in no other archive, and the programs that may lie in one.
_OFFICE = frozenset({"[Content_Types].xml", "mimetype"})
_MACROS = "vbaproject.bin"
_UNREADABLE = (BadZipFile, LargeZipFile, NotImplementedError, EOFError, zlib.error, RuntimeError, UnicodeDecodeError)


class UnsafeArchiveError(InvalidError):
    """Unpacking the file could hurt."""

    code = "archive_unsafe"
    title = "The file is packed in a way that could hurt whoever unpacks it."
    field = "file"


@dataclass
class _Left:
    """What may still be unpacked of a file, of what is in it and of what is in that."""

    members: int = MOST_MEMBERS
    size: int = MOST_UNPACKED

    def take(self, entries: list[ZipInfo]) -> None:
        self.members -= len(entries)
        self.size -= sum(entry.file_size for entry in entries)
        if self.members < 0:
            raise UnsafeArchiveError(f"An archive has at most {MOST_MEMBERS} members.", meta={"most": MOST_MEMBERS})
        if self.size < 0:
            raise UnsafeArchiveError(f"It unpacks to at most {MOST_UNPACKED} bytes.", meta={"most": MOST_UNPACKED})


def require_harmless(content: BinaryIO) -> None:
    """Raise `UnsafeArchiveError` for a ZIP that is too large unpacked, deceives, or holds what none may hold."""
    _inspect(content, _Left(), is_inner=False)


def _inspect(content: BinaryIO, left: _Left, *, is_inner: bool) -> None:
    try:
        with ZipFile(content) as archive:
            entries = archive.infolist()
            if is_inner and _OFFICE.isdisjoint(entry.filename for entry in entries):
                raise UnsafeArchiveError("A member is itself packed.")
            left.take(entries)
            _require_apart(entries)
            for entry in entries:
                if problem := _problem(entry):
                    raise UnsafeArchiveError(f"{problem}: {entry.filename[:80]!r}.")
            for entry in entries:
                _read(archive, entry, left, is_inner=is_inner)
    except _UNREADABLE as error:
        raise UnsafeArchiveError("It cannot be unpacked as its directory says.") from error


def _require_apart(entries: list[ZipInfo]) -> None:
    """Refuse members that share bytes, of which a small file can have any number."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise UnsafeArchiveError("Members share bytes.")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size
    names = {entry.filename.casefold() for entry in entries}
    if len(names) < len(entries):
        raise UnsafeArchiveError("Members have one name.")


def _problem(entry: ZipInfo) -> str:
    path = PurePosixPath(entry.filename)
    most = max(RATIO_FROM, MOST_RATIO * entry.compress_size)
    problems = {
        "A member would lie outside of the archive": path.is_absolute()
        or ".." in path.parts
        or not {"\\", ":"}.isdisjoint(entry.filename),
        "A member is encrypted": entry.flag_bits & _ENCRYPTED,
        "A member is a link": stat.S_ISLNK(entry.external_attr >> 16),
        "A member is packed in an unusual way": entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED),
        f"A member is packed more than {MOST_RATIO} times": entry.file_size > most,
        "A member is a program": path.name.casefold() == _MACROS,
    }
    return next((problem for problem, is_so in problems.items() if is_so), "")


def _read(archive: ZipFile, entry: ZipInfo, left: _Left, *, is_inner: bool) -> None:
    """Read a member to its end, which shows that it has the size and the checksum that the directory says."""
    with archive.open(entry) as member:
        head = member.read(HEAD)
        if _PACKED.match(head) or head[_TAPE_AT:].startswith(_TAPE):
            raise UnsafeArchiveError(f"A member is itself packed: {entry.filename[:80]!r}.")
        if not head.startswith(_ZIP):
            while member.read(BLOCK):
                pass
            return
        if is_inner:
            raise UnsafeArchiveError(f"A member is itself packed: {entry.filename[:80]!r}.")
        # As large as the budget at most, which it has been taken from.
        _inspect(io.BytesIO(head + member.read()), left, is_inner=True)
