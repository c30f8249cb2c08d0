"""Where the files of exports lie: outside of the database and its backups, encrypted as protected columns are.

A file is a row of blocks, each encrypted for its place in its file: a block that was moved, left out or put in, and a
file that was cut short, do not open. Writing and reading keep one block in memory.
"""

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from core.security.encryption import DecryptionError, decrypt, encrypt

BLOCK = 256 * 1024
_LENGTH_BYTES = 4


def root() -> Path:
    """Return the folder of exports, which is there and closed to others."""
    folder = Path(settings.EXPORT_ROOT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


class SealedWriter(io.RawIOBase):
    """Encrypts what is written to it, block by block; `close` writes the last one."""

    def __init__(self, target: BinaryIO, name: str) -> None:
        super().__init__()
        self._target, self._name = target, name
        self._waiting, self._number = bytearray(), 0
        self._digest, self.size = sha256(), 0

    @property
    def sha256(self) -> str:
        """The digest of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self._waiting += data
        self.size += len(data)
        while len(self._waiting) > BLOCK:
            self._seal(bytes(self._waiting[:BLOCK]), is_last=False)
            del self._waiting[:BLOCK]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._seal(bytes(self._waiting), is_last=True)
        super().close()

    def _seal(self, block: bytes, *, is_last: bool) -> None:
        sealed = encrypt(block, context=_context(self._name, self._number, is_last=is_last))
        self._target.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        self._number += 1


def opened(path: Path, name: str) -> Iterator[bytes]:
    """Yield the content of a file; raise `DecryptionError` at the first block that is not as it was written."""
    with path.open("rb") as stored:
        number, head = 0, stored.read(_LENGTH_BYTES)
        while head:
            sealed = stored.read(int.from_bytes(head, "big"))
            head = stored.read(_LENGTH_BYTES)
            yield decrypt(sealed, context=_context(name, number, is_last=not head))
            number += 1
    if not number:
        raise DecryptionError("The file is empty.")


def _context(name: str, number: int, *, is_last: bool) -> bytes:
    return f"privacy_export:{name}:{number}:{'last' if is_last else 'more'}".encode()
