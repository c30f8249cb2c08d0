"""The files of imports: where they lie, what identifies them, and how each kind is opened."""

import hashlib
import weakref
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from core.ids import new_id
from core.security.encryption import DecryptionError
from core.security.sealing import SealedWriter
from interop.faults import EmptyFileError, MissingFileError, TooLargeError, UnreadableFileError
from interop.models import ImportJob, ImportKind
from interop.reading.archives import open_text
from interop.reading.delimited import read_csv
from interop.reading.filesets import count_lines, open_fileset
from interop.reading.rows import Table
from interop.reading.spreadsheets import read_xlsx
from interop.reading.stored import Place, SealedFile, is_folder
from interop.services.directory import RecordedDirectory, refuse_if_all_new
from interop.sources.columns import COLUMNS
from interop.sources.oneroster.package import Package
from interop.sources.oneroster.source import OneRoster
from interop.sources.oulad import Oulad
from interop.sources.plain import PlainTable
from interop.sources.records import Source
from interop.sources.uiuc import UiucCatalogue

BLOCK = 1024 * 1024
ZIP_MAGIC = b"PK"


def root() -> Path:
    """Return the folder of uploaded files."""
    return Path(settings.IMPORT_ROOT)


def store(content: BinaryIO, name: str) -> tuple[Path, str]:
    """Write an upload to the disk, encrypted; return where it lies below the root, and the SHA-256 of its content.

    Raises `TooLargeError` when it is larger than IMPORT_UPLOAD_MAX_SIZE, `EmptyFileError` when there is nothing.
    """
    folder = root()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / str(new_id())
    try:
        with SealedFile(place).create() as stored:
            _copy(content, stored, name)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return place.relative_to(folder), stored.sha256


class Provisional:
    """An uploaded file whose job is not committed yet.

    Django tells nobody of a rollback, but drops what waits for the commit: this waits for it, and a
    file that is dropped without having been called is deleted. So is one whose process ends first.
    """

    def __init__(self, place: Path) -> None:
        self._deletion = weakref.finalize(self, place.unlink, missing_ok=True)

    def __call__(self) -> None:
        """Keep the file."""
        self._deletion.detach()


def _copy(content: BinaryIO, stored: SealedWriter, name: str) -> None:
    """Write an upload block by block."""
    while block := content.read(BLOCK):
        if stored.size + len(block) > settings.IMPORT_UPLOAD_MAX_SIZE:
            raise TooLargeError(f"A file has at most {settings.IMPORT_UPLOAD_MAX_SIZE} bytes.", file=name)
        stored.write(block)
    if not stored.size:
        raise EmptyFileError(file=name)


def discard(job: ImportJob) -> None:
    """Remove the stored file of a job that was uploaded."""
    if job.is_uploaded and job.stored_path:
        path_of(job).unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files and their names."""
    if not path.exists():
        raise MissingFileError("There is no such file.", file=path.name)
    digest = hashlib.sha256()
    for member in sorted(path.iterdir()) if path.is_dir() else [path]:
        if member.is_file():
            if path.is_dir():
                digest.update(member.name.encode() + b"\x00")
            with member.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
    return digest.hexdigest()


def path_of(job: ImportJob) -> Path:
    """Return where a job's file lies."""
    return root() / job.stored_path if job.is_uploaded else Path(job.stored_path)


def place_of(job: ImportJob) -> Place:
    """Return where a job's file is read from."""
    return SealedFile(path_of(job)) if job.is_uploaded else path_of(job)


@contextmanager
def opened(job: ImportJob) -> Generator[Source]:
    """Open a job's file as its kind demands; raise a `FileRefusedError` or all faults of a package."""
    with open_source(job.kind, place_of(job), job.file_name, job.mapping, job.options) as source:
        yield source


@contextmanager
def open_source(
    kind: str, place: Place, name: str, mapping: Mapping[str, Any], options: Mapping[str, Any]
) -> Generator[Source]:
    """Open a file of a kind, and check what its beginning tells."""
    if not place.exists():
        raise MissingFileError("The file is no longer there.", file=name)
    try:
        with _adapter(kind, place, name, mapping, options) as source:
            yield source
    except DecryptionError:
        detail = "The stored file was damaged, or encrypted with a key that is gone; upload it again."
        raise UnreadableFileError(detail, file=name) from None


@contextmanager
def _adapter(
    kind: str, place: Place, name: str, mapping: Mapping[str, Any], options: Mapping[str, Any]
) -> Generator[Source]:
    if kind == ImportKind.OULAD:
        with open_fileset(place, name) as files:
            yield Oulad(files)
    elif kind == ImportKind.ONEROSTER:
        if is_folder(place):
            raise UnreadableFileError("A OneRoster package is a ZIP archive.", file=name)
        with open_fileset(place, name, packed_entries=()) as files:
            yield OneRoster(Package(files), RecordedDirectory())
    elif is_folder(place):
        raise UnreadableFileError("A file is expected, not a folder.", file=name)
    elif kind == ImportKind.UIUC_CATALOGUE:
        yield UiucCatalogue(lambda: open_table(place, name), options, _rows_expected(place, name))
    elif kind in COLUMNS:
        table = PlainTable(kind, lambda: open_table(place, name), mapping, _rows_expected(place, name))
        refuse_if_all_new(table, name)
        yield table
    else:
        raise UnreadableFileError(f"There is no import of {kind[:40]!r}.", file=name)


@contextmanager
def open_table(place: Place, name: str) -> Generator[Table]:
    """Open a CSV file, packed or not, or a workbook, told apart by their content."""
    with place.open("rb") as start:
        is_zip = start.read(2) == ZIP_MAGIC
    if is_zip:
        with place.open("rb") as workbook:
            yield read_xlsx(workbook, name)
        return
    with open_text(place, name) as stream:
        yield read_csv(stream, name)


def _rows_expected(place: Place, name: str) -> int:
    """Return about how many rows a table has; a workbook does not say without being read."""
    with place.open("rb") as start:
        if start.read(2) == ZIP_MAGIC:
            return 0
    with open_text(place, name) as stream:
        return max(0, count_lines(stream) - 1)
