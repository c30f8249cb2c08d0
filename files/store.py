"""Where the bytes lie: in a folder, each content under its SHA-256, so that equal ones lie there once.

Whatever is received is first written beside the others and forced to the disk; it gets its name in one step, which is
forced to the disk as well. So a name has its whole content or is not there, whenever the power fails. `Store` is all
that the rest asks for; what keeps files elsewhere does the same.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from django.conf import settings

from core.errors import InvalidError
from core.ids import new_id

BLOCK = 256 * 1024
# What was received in parts and got no name within this time never will.
ABANDONED_AFTER = timedelta(days=1)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileTooLargeError(InvalidError):
    """The file is larger than one may be."""

    code = "file_too_large"
    title = "The file is too large."
    field = "file"


@dataclass(frozen=True)
class Draft:
    """A content that was received and has no name yet."""

    path: Path
    sha256: str
    size: int


class Readable(Protocol):
    """Bytes that come."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many, none at the end."""


class Store(Protocol):
    """Keeps contents by their SHA-256."""

    def receive(self, content: Readable, *, largest: int) -> Draft:
        """Write a content safely, without a name, in blocks; raise `FileTooLargeError` beyond so many bytes."""

    def keep(self, draft: Draft) -> None:
        """Give a content its name, if no equal one has it."""

    def discard(self, draft: Draft) -> None:
        """Forget a content without a name; nothing happens to one that has one."""

    def has(self, sha256: str) -> bool:
        """Say whether there is such a content."""

    def opened(self, sha256: str) -> BinaryIO:
        """Open a content; raise `FileNotFoundError` where there is none."""

    def place_of(self, sha256: str) -> str:
        """Return where a content lies below the root, for a server that sends it by itself."""

    def digests(self, *, older_than: timedelta) -> Iterator[str]:
        """Yield what is kept and has been for so long."""

    def delete(self, sha256: str) -> None:
        """Delete a content."""

    def sweep(self) -> int:
        """Delete what was received and abandoned; return how many."""

    def write_part(self, upload: UUID, offset: int, block: bytes) -> None:
        """Write a block of an upload safely where it belongs; what stood there and behind is gone."""

    def draft_of_part(self, upload: UUID, size: int) -> Draft:
        """Return an upload that has come as a content without a name; raise `FileNotFoundError` if it has not."""

    def parts(self) -> Iterator[UUID]:
        """Yield the uploads of which something has come."""

    def drop_part(self, upload: UUID) -> None:
        """Forget what has come of an upload."""


class FolderStore:
    """A folder of this machine, or one that all machines share."""

    def __init__(self, root: Path, *, is_read_by_others: bool) -> None:
        self._root = root
        self._incoming, self._parts = root / "incoming", root / "parts"
        self._folder_mode, self._file_mode = (0o755, 0o644) if is_read_by_others else (0o700, 0o600)

    def receive(self, content: Readable, *, largest: int) -> Draft:
        self._incoming.mkdir(parents=True, exist_ok=True, mode=self._folder_mode)
        path = self._incoming / new_id().hex
        try:
            with open(path, "xb", opener=self._create) as stored:
                sha256, size = _copy(content, stored, largest)
                stored.flush()
                os.fsync(stored.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Draft(path, sha256, size)

    def keep(self, draft: Draft) -> None:
        place = self._place(draft.sha256)
        # One of another size is damaged, and the one at hand is not.
        if not (place.exists() and place.stat().st_size == draft.size):
            place.parent.mkdir(parents=True, exist_ok=True, mode=self._folder_mode)
            draft.path.rename(place)
        # Also where somebody else has just made them, who may not have come so far.
        for folder in (place.parent, place.parent.parent, self._root):
            _force(folder)

    def discard(self, draft: Draft) -> None:
        draft.path.unlink(missing_ok=True)

    def has(self, sha256: str) -> bool:
        return self._place(sha256).exists()

    def opened(self, sha256: str) -> BinaryIO:
        return self._place(sha256).open("rb")

    def place_of(self, sha256: str) -> str:
        return self._place(sha256).relative_to(self._root).as_posix()

    def digests(self, *, older_than: timedelta) -> Iterator[str]:
        latest = time.time() - older_than.total_seconds()
        for place in self._root.glob("??/??/*"):
            with suppress(FileNotFoundError):  # another run was quicker
                if _DIGEST.fullmatch(place.name) and place.stat().st_mtime <= latest:
                    yield place.name

    def delete(self, sha256: str) -> None:
        self._place(sha256).unlink(missing_ok=True)

    def sweep(self) -> int:
        latest, swept = time.time() - ABANDONED_AFTER.total_seconds(), 0
        for path in self._incoming.glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= latest:
                    path.unlink()
                    swept += 1
        return swept

    def write_part(self, upload: UUID, offset: int, block: bytes) -> None:
        is_new = offset == 0
        self._parts.mkdir(parents=True, exist_ok=True, mode=self._folder_mode)
        # One that goes on has to be there: a hole would pass for what has come.
        descriptor = os.open(self._part(upload), os.O_WRONLY | (os.O_CREAT if is_new else 0), self._file_mode)
        with os.fdopen(descriptor, "wb") as part:
            if os.fstat(descriptor).st_size < offset:
                raise FileNotFoundError(f"{self._part(upload)} is shorter than {offset} bytes")
            part.seek(offset)
            part.truncate()
            part.write(block)
            part.flush()
            os.fsync(descriptor)
        if is_new:
            _force(self._parts)

    def draft_of_part(self, upload: UUID, size: int) -> Draft:
        # A copy: the part stays what it is until the row says that it is a file.
        with self._part(upload).open("rb") as part:
            draft = self.receive(part, largest=size)
        if draft.size < size:
            self.discard(draft)
            raise FileNotFoundError(f"{self._part(upload)} is shorter than {size} bytes")
        return draft

    def parts(self) -> Iterator[UUID]:
        for path in self._parts.glob("*"):
            yield UUID(path.name)

    def drop_part(self, upload: UUID) -> None:
        self._part(upload).unlink(missing_ok=True)

    def _part(self, upload: UUID) -> Path:
        return self._parts / upload.hex

    def _place(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise ValueError("no SHA-256")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _create(self, path: str, flags: int) -> int:
        return os.open(path, flags, self._file_mode)


def _copy(content: Readable, stored: BinaryIO, largest: int) -> tuple[str, int]:
    """Write a content in blocks and return its SHA-256 and how many bytes it has."""
    digest, size = hashlib.sha256(), 0
    while block := content.read(BLOCK):
        size += len(block)
        if size > largest:
            raise FileTooLargeError(f"A file has at most {largest} bytes.", meta={"most": largest})
        digest.update(block)
        stored.write(block)
    return digest.hexdigest(), size


def _force(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store() -> Store:
    """Return the store that the settings name."""
    return _folder(Path(settings.FILES_ROOT), bool(settings.FILES_SENT_FROM))


@cache
def _folder(root: Path, is_read_by_others: bool) -> FolderStore:
    return FolderStore(root, is_read_by_others=is_read_by_others)
