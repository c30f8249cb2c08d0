"""Uploaded files, which lie encrypted: nothing but an import reads them, and it reads them as it does plain ones."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from core.security.sealing import BLOCK, SealedReader, SealedWriter


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that lies encrypted, bound to the name that it lies under; readers take it in place of a path."""

    path: Path

    @contextmanager
    def create(self) -> Generator[SealedWriter]:
        """Open a file that is not there yet, to be written."""
        with self.path.open("xb") as stored, SealedWriter(stored, self._name) as sealed:
            yield sealed

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Return the content, from any place of it; raise `DecryptionError` as `SealedReader` does."""
        stored = self.path.open(mode)
        try:
            return cast("BinaryIO", io.BufferedReader(SealedReader(stored, self._name), BLOCK))
        except BaseException:
            stored.close()
            raise

    def exists(self) -> bool:
        return self.path.exists()

    @property
    def _name(self) -> str:
        return f"import:{self.path.name}"


# What can be read: an uploaded file, or a file or folder that a command names.
Place = Path | SealedFile


def is_folder(place: Place) -> bool:
    """Say whether a place is a folder, which only a command can name."""
    return isinstance(place, Path) and place.is_dir()
