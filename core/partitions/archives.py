"""The files that months are put away in: rows as PostgreSQL's COPY writes them, compressed, and a page about them.

`table_202603-1f2e….copy.gz` has the rows, `….json` beside it which columns they have, how many there are, and the
SHA-256 of their text. The page is written last, and each file under another name first: what has a page is whole.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

BLOCK = 1024 * 1024
FORMAT = 1


class DamagedArchiveError(Exception):
    """A file is not what its page says, or does not fit the table any more."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A month that was put away, as its page describes it."""

    table: str
    month: str
    columns: list[str]
    rows: int
    sha256: str
    file: str
    archived_at: str
    format: int = FORMAT


def write_rows(folder: Path, stem: str, blocks: Iterable[Any]) -> tuple[str, str]:
    """Write the rows of a month into a file named after their digest; return its name and the digest."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = sha256()
    with NamedTemporaryFile(dir=folder, prefix=f".{stem}-", delete=False) as target:
        with gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=0) as packed:
            for block in blocks:
                digest.update(block)
                packed.write(block)
        _settle(target)
    name = f"{stem}-{digest.hexdigest()[:12]}.copy.gz"
    Path(target.name).replace(folder / name)
    return name, digest.hexdigest()


def write_page(folder: Path, archive: Archive) -> Path:
    """Write the page of an archive beside its file, which makes it one; return where."""
    page = folder / archive.file.replace(".copy.gz", ".json")
    with NamedTemporaryFile("w", dir=folder, prefix=f".{page.stem}-", delete=False, encoding="utf-8") as target:
        json.dump(asdict(archive), target, indent=2)
        _settle(target)
    Path(target.name).replace(page)
    folder_handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_handle)
    finally:
        os.close(folder_handle)
    return page


def read_page(page: Path) -> Archive:
    """Return what a page describes; raise `DamagedArchiveError` if it describes nothing."""
    try:
        archive = Archive(**json.loads(page.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DamagedArchiveError(f"{page} describes no archive: {error}") from error
    if archive.format != FORMAT:
        raise DamagedArchiveError(f"{page} is of format {archive.format}, which nothing here reads")
    return archive


def read_rows(folder: Path, archive: Archive) -> Iterator[bytes]:
    """Yield the rows block by block; raise `DamagedArchiveError`, at the latest at the end, if they are others."""
    digest, lines = sha256(), 0
    try:
        with gzip.open(folder / archive.file, "rb") as packed:
            while block := packed.read(BLOCK):
                digest.update(block)
                lines += block.count(b"\n")
                yield block
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedArchiveError(f"{archive.file} cannot be read: {error}") from error
    if (digest.hexdigest(), lines) != (archive.sha256, archive.rows):
        raise DamagedArchiveError(f"{archive.file} has other rows than its page says")


def _settle(target: Any) -> None:
    """Have the disk keep what was written, before anything is thrown away for it."""
    target.flush()
    os.fsync(target.fileno())
