"""Files that a worker prepares for whoever asked, and that wait, encrypted, to be fetched.

A row of a model made of `PreparedFile` says how its file stands; the file lies below `EXPORT_ROOT`, outside of the
database and its backups. A worker may be killed at any moment and come again, or twice at once: each run writes a file
of its own, and the last to begin is the one whose file counts.
"""

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core import crud
from core.errors import ConflictError
from core.models import PreparedFile, PreparedState
from core.security import sealing
from core.security.encryption import DecryptionError

FileT = TypeVar("FileT", bound=PreparedFile)

logger = logging.getLogger(__name__)

# A file that no row names is somebody's work in progress, or what is left of it.
LEFT_ALONE_SECONDS = 24 * 3600


class ExportUnavailableError(ConflictError):
    """There is no file: not yet, or no more."""

    code = "export_unavailable"
    title = "The export is not ready, or its time is over; ask for another one."


@dataclass(frozen=True)
class Shelf(Generic[FileT]):
    """Where the files lie that the rows of a model are about: their `folder` below `EXPORT_ROOT`.

    `context` tells the encryption what they are, so that none opens as a file of another kind.
    """

    model: type[FileT]
    context: str
    folder: str = ""

    def root(self) -> Path:
        """Return the folder, which is there and closed to others."""
        folder = Path(settings.EXPORT_ROOT, self.folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def sealed(self, target: BinaryIO, name: str) -> sealing.SealedWriter:
        """Return a stream that writes the file called `name` to `target`, encrypted."""
        return sealing.SealedWriter(target, f"{self.context}:{name}")

    def opened(self, path: Path, name: str) -> Iterator[bytes]:
        """Yield the content of a file; raise `DecryptionError` at the first block that is not as it was written."""
        with path.open("rb") as stored, sealing.SealedReader(stored, f"{self.context}:{name}") as content:
            while block := content.read(sealing.BLOCK):
                yield block

    def locked(self, pk: UUID) -> FileT | None:
        """Lock a row until the transaction ends."""
        rows: Any = self.model._default_manager.select_for_update(of=("self",), no_key=True)
        found: FileT | None = rows.filter(pk=pk).first()
        return found

    @transaction.atomic
    def begin(self, pk: UUID, run_id: UUID, **facts: Any) -> FileT | None:
        """Take the work on a file over under a name; None when there is nothing to do any more."""
        row = self.locked(pk)
        if row is None or row.state != PreparedState.REQUESTED:
            return None
        return crud.update(row, {"run_id": run_id, **facts})

    @contextmanager
    def writing(self, row: FileT, run_id: UUID) -> Generator[sealing.SealedWriter]:
        """Write the file of a run; nothing is left of one that the block breaks off."""
        name = name_of(row, run_id)
        place = self.root() / name
        try:
            with place.open("xb") as stored, self.sealed(stored, name) as written:
                yield written
        except BaseException:
            place.unlink(missing_ok=True)
            raise

    @transaction.atomic
    def finish(self, pk: UUID, run_id: UUID, facts: dict[str, Any], *, at: datetime, kept: timedelta) -> FileT | None:
        """Let what a run wrote be the file, until `kept` is over; None, and no file, when the run was too late."""
        row = self._held(pk, run_id)
        if row is None:
            (self.root() / facts["stored_name"]).unlink(missing_ok=True)
            return None
        return crud.update(row, {**facts, "state": PreparedState.READY, "ready_at": at, "expires_at": at + kept})

    @transaction.atomic
    def fail(self, pk: UUID, run_id: UUID, code: str) -> FileT | None:
        """Put on record what stood in the way of a run; None when the run was too late."""
        row = self._held(pk, run_id)
        return row if row is None else crud.update(row, {"state": PreparedState.FAILED, "failure": code[:64]})

    @transaction.atomic
    def release(self, pk: UUID, run_id: UUID) -> FileT | None:
        """Leave the work to whoever comes next; None when the run was too late."""
        row = self._held(pk, run_id)
        return row if row is None else crud.update(row, {"run_id": None})

    def require_ready(self, row: FileT, *, at: datetime) -> None:
        """Raise `ExportUnavailableError` when there is no file, or no more."""
        if row.state != PreparedState.READY or row.expires_at is None or row.expires_at <= at:
            raise ExportUnavailableError

    def hand_out(self, row: FileT, *, at: datetime) -> Iterator[bytes]:
        """Return the content of a file in pieces; raise `ExportUnavailableError` when there is none that opens."""
        self.require_ready(row, at=at)
        pieces = self.opened(self.root() / row.stored_name, row.stored_name)
        try:
            first = next(pieces, b"")
        except (OSError, DecryptionError) as gone:
            logger.warning("export.unreadable", extra={"export_id": str(row.pk)})
            raise ExportUnavailableError from gone
        crud.update(row, {"downloaded_at": at})
        return _all(first, pieces)

    def expire(self, row: FileT) -> None:
        """Delete a file before its time, once this transaction is over; its row stays."""
        self.discard(row)
        crud.update(row, {"state": PreparedState.EXPIRED, "stored_name": ""})

    def discard(self, row: FileT) -> None:
        """Delete a file once this transaction is over."""
        if name := row.stored_name:
            transaction.on_commit(lambda: (self.root() / name).unlink(missing_ok=True))

    def purge(self, *, at: datetime) -> int:
        """Delete the files that have had their time, and what killed workers left; return how many."""
        overdue = self.model._default_manager.filter(state=PreparedState.READY, expires_at__lte=at).order_by("pk")
        total = 0
        for pk in list(overdue.values_list("pk", flat=True)):
            with transaction.atomic():
                row = self.locked(pk)
                if row is not None and row.state == PreparedState.READY:
                    self.expire(row)
                    total += 1
        return total + self._sweep()

    def _held(self, pk: UUID, run_id: UUID) -> FileT | None:
        row = self.locked(pk)
        is_ours = row is not None and row.run_id == run_id and row.state == PreparedState.REQUESTED
        return row if is_ours else None

    def _sweep(self) -> int:
        """Delete files that no row names and nobody is writing any more."""
        rows = self.model._default_manager.exclude(stored_name="")
        named = set(rows.values_list("stored_name", flat=True))
        swept = 0
        for place in self.root().iterdir():
            with suppress(FileNotFoundError):
                is_old = time.time() - place.stat().st_mtime > LEFT_ALONE_SECONDS
                if place.name not in named and is_old and place.is_file():
                    place.unlink()
                    swept += 1
        return swept


def name_of(row: PreparedFile, run_id: UUID) -> str:
    """Return what the file of a run is called."""
    return f"{row.pk}.{run_id}"


def _all(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
