"""Where the files of exports lie: outside of the database and its backups, encrypted as protected columns are."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from core.security import sealing


def root() -> Path:
    """Return the folder of exports, which is there and closed to others."""
    folder = Path(settings.EXPORT_ROOT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def sealed(target: BinaryIO, name: str) -> sealing.SealedWriter:
    """Return a stream that writes the file called `name` to `target`, encrypted."""
    return sealing.SealedWriter(target, _sealed_name(name))


def opened(path: Path, name: str) -> Iterator[bytes]:
    """Yield the content of a file; raise `DecryptionError` at the first block that is not as it was written."""
    with path.open("rb") as stored, sealing.SealedReader(stored, _sealed_name(name)) as content:
        while block := content.read(sealing.BLOCK):
            yield block


def _sealed_name(name: str) -> str:
    return f"privacy_export:{name}"
