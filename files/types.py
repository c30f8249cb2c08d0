"""What a file is: told by its content, which its name has to agree with. What the client calls it counts for nothing.

Known are the types of this table; anything else, among it programs, HTML and SVG, is refused. puremagic knows the
signatures. Archives are told apart by the names in their directory, which is read within limits, and are then read as
they would be unpacked (`files.archives`); texts have none, so they have to be text throughout.
"""

import codecs
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

import puremagic

from core.errors import InvalidError
from files.archives import MOST_MEMBERS, require_harmless

HEAD = 8 * 1024
BLOCK = 256 * 1024
# Of an archive.
LONGEST_DIRECTORY = 256 * 1024
# The record that ends a ZIP, with the longest comment, and before it what leads to the form for huge archives; and how
# the two begin.
_LOCATOR, _RECORD, _COMMENT = 20, 22, 65_535
_TAIL, _END, _HUGE = _LOCATOR + _RECORD + _COMMENT, b"PK\x05\x06", b"PK\x06\x07"
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r\f"}
# What is text and shown as something else where somebody believes it.
_MARKUP = frozenset({"text/html", "application/xml", "application/xhtml+xml", "image/svg+xml"})


class TypeNotAllowedError(InvalidError):
    """Files that end like this one are not taken."""

    code = "file_type_not_allowed"
    title = "Files of this type are not taken."
    field = "file"


class TypeMismatchError(InvalidError):
    """The content is not what the name says."""

    code = "file_type_mismatch"
    title = "The content of the file is not what its name says."
    field = "file"


Test = Callable[[BinaryIO], bool]


@dataclass(frozen=True)
class FileType:
    """A type: how its files end, and whether a content is one."""

    media_type: str
    suffixes: tuple[str, ...]
    test: Test
    # Raises for a content that is one and would hurt.
    check: Callable[[BinaryIO], None] = lambda content: None


def type_of(name: str, content: BinaryIO, *, allowed: frozenset[str]) -> str:
    """Return the media type of a content, which its name agrees with.

    Raises `TypeNotAllowedError`, `TypeMismatchError` and `UnsafeArchiveError`.
    """
    expected = expected_type(name, allowed=allowed)
    content.seek(0)
    if not expected.test(content):
        suffix = PurePosixPath(name).suffix.lower()
        raise TypeMismatchError(f"This is no {suffix[1:]} file.", meta={"expected": expected.media_type})
    content.seek(0)
    expected.check(content)
    return expected.media_type


def expected_type(name: str, *, allowed: frozenset[str]) -> FileType:
    """Return the type that the end of a name says; raise `TypeNotAllowedError` for one that is not taken."""
    suffix = PurePosixPath(name).suffix.lower()
    found = next((each for each in TYPES if suffix in each.suffixes and each.media_type in allowed), None)
    if found is None:
        endings = sorted(ending for each in TYPES if each.media_type in allowed for ending in each.suffixes)
        raise TypeNotAllowedError(f"Taken are {', '.join(endings)}.", meta={"suffixes": endings})
    return found


def _signed(*media_types: str, starts: bytes = b"") -> Test:
    def test(content: BinaryIO) -> bool:
        head = content.read(HEAD)
        return head.startswith(starts) and not _told_by(head).isdisjoint(media_types)

    return test


def _told_by(head: bytes) -> set[str]:
    try:
        return {match.mime_type for match in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return set()


def _packed(*members: str, mimetype: str = "") -> Test:
    def test(content: BinaryIO) -> bool:
        names = _members(content)
        if names is None or not set(members) <= names:
            return False
        if not mimetype:
            return True
        content.seek(0)
        # The first member of an OpenDocument is its type, not compressed.
        return f"mimetype{mimetype}".encode() in content.read(HEAD)

    return test


def _members(content: BinaryIO) -> set[str] | None:
    """Return the names in an archive, None for one that is none, or larger than anybody needs."""
    if content.read(4) != b"PK\x03\x04":
        return None
    size = content.seek(0, io.SEEK_END)
    content.seek(max(0, size - _TAIL))
    tail = content.read()
    end = tail.rfind(_END)
    # Where a tail is all that was read, what precedes the record has to be in it to be judged.
    if end < (_LOCATOR if size > _TAIL else 0) or len(tail) < end + _RECORD:
        return None
    if _HUGE in tail[max(0, end - _LOCATOR) : end]:
        return None
    # It bounds what is read below; the number of members that stands beside it bounds nothing.
    if int.from_bytes(tail[end + 12 : end + 16], "little") > LONGEST_DIRECTORY:
        return None
    try:
        with ZipFile(content) as archive:
            return set(archive.namelist()) if len(archive.filelist) <= MOST_MEMBERS else None
    except (BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError):
        return None


def _text(content: BinaryIO) -> bool:
    """Say whether a content is UTF-8 without control characters, and no page in disguise."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_first = True
    while block := content.read(BLOCK):
        if is_first and not _told_by(block[:HEAD].lstrip().lower()).isdisjoint(_MARKUP):
            return False
        is_first = False
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError:
            return False
        if len(text.translate(_CONTROLS)) != len(text):
            return False
    return not decoder.getstate()[0]


def _packed_type(media_type: str, suffix: str, *members: str, says_type: bool = False) -> FileType:
    test = _packed(*members, mimetype=media_type if says_type else "")
    return FileType(media_type, (suffix,), test, require_harmless)


_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
TYPES = (
    FileType("application/pdf", (".pdf",), _signed("application/pdf", starts=b"%PDF-")),
    FileType("image/png", (".png",), _signed("image/png")),
    FileType("image/jpeg", (".jpg", ".jpeg"), _signed("image/jpeg", starts=b"\xff\xd8\xff")),
    FileType("image/gif", (".gif",), _signed("image/gif")),
    FileType("image/webp", (".webp",), _signed("image/webp")),
    FileType("image/heic", (".heic", ".heif"), _signed("image/heif", "image/heic")),
    FileType("text/plain", (".txt",), _text),
    FileType("text/csv", (".csv",), _text),
    _packed_type(f"{_OFFICE}.wordprocessingml.document", ".docx", "[Content_Types].xml", "word/document.xml"),
    _packed_type(f"{_OFFICE}.spreadsheetml.sheet", ".xlsx", "[Content_Types].xml", "xl/workbook.xml"),
    _packed_type(f"{_OFFICE}.presentationml.presentation", ".pptx", "[Content_Types].xml", "ppt/presentation.xml"),
    _packed_type(f"{_OPEN}.text", ".odt", "mimetype", "content.xml", says_type=True),
    _packed_type(f"{_OPEN}.spreadsheet", ".ods", "mimetype", "content.xml", says_type=True),
    _packed_type(f"{_OPEN}.presentation", ".odp", "mimetype", "content.xml", says_type=True),
    _packed_type("application/zip", ".zip"),
)
KNOWN = frozenset(each.media_type for each in TYPES)
