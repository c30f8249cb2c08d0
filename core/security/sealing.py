"""Files that lie encrypted, as protected columns do.

A file is a row of blocks, each encrypted for its place in its file: a block that was moved, left out or put in, and a
file that was cut short, do not open. Writing and reading keep one block in memory. What is under a key that is taken
out of the ring cannot be read any more; such files are those that have their time and are deleted then.
"""

import io
from hashlib import sha256
from typing import Any, BinaryIO

from core.security.encryption import DecryptionError, decrypt, encrypt

BLOCK = 256 * 1024
_LENGTH_BYTES = 4


def _context(name: str, number: int, *, is_last: bool) -> bytes:
    return f"{name}:{number}:{'last' if is_last else 'more'}".encode()


class SealedWriter(io.RawIOBase):
    """Encrypts what is written to it for the file called `name`, block by block; `close` writes the last one."""

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


class SealedReader(io.RawIOBase):
    """The content of a file that a `SealedWriter` wrote under the same `name`, from any place of it; closes the file.

    Opening it raises `DecryptionError` when the file was cut short or belongs elsewhere, reading it at the first block
    that is not as it was written.
    """

    def __init__(self, source: BinaryIO, name: str) -> None:
        super().__init__()
        self._source, self._name = source, name
        self._places = self._found()
        self._position, self._number, self._block = 0, -1, b""
        if not self._places:
            raise DecryptionError("The file is empty.")
        last = len(self._places) - 1
        self.size = last * BLOCK + len(self._opened(last))

    def _found(self) -> list[tuple[int, int]]:
        """Return where each block begins and how long it is."""
        places: list[tuple[int, int]] = []
        begins = 0
        while head := self._source.read(_LENGTH_BYTES):
            length = int.from_bytes(head, "big")
            places.append((begins + _LENGTH_BYTES, length))
            begins = self._source.seek(begins + _LENGTH_BYTES + length)
        return places

    def _opened(self, number: int) -> bytes:
        if number != self._number:
            begins, length = self._places[number]
            self._source.seek(begins)
            is_last = number == len(self._places) - 1
            context = _context(self._name, number, is_last=is_last)
            self._block, self._number = decrypt(self._source.read(length), context=context), number
        return self._block

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._position >= self.size:
            return 0
        number, offset = divmod(self._position, BLOCK)
        piece = self._opened(number)[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, begins + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self._source.close()
        super().close()
