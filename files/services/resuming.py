"""Uploads that go on where they broke off: their parts, what they still may take, and what becomes of them.

An upload is a row that says how much has come, and a part in the store that has at least as much. Bytes are written
block by block under the lock of the row and forced to the disk before the row counts them, so whatever breaks off loses
a block at most and never counts what is not there. The last block makes the file, in the same transaction.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import crud
from core.errors import ConflictError, InvalidError, MissingError
from core.visibility import Actor
from files.archives import UnsafeArchiveError
from files.models import FileAsset, FileUpload
from files.names import require_name
from files.services.locking import hold_quota
from files.services.uploads import EmptyFileError, keep_received, require_room
from files.store import FileTooLargeError, Readable, store
from files.types import KNOWN, TypeMismatchError, TypeNotAllowedError, expected_type, type_of

# So much is read from a client before it is written and counted; in pieces, so that what came before a break is kept.
BLOCK, PIECE = 1024 * 1024, 64 * 1024


class UploadOffsetError(ConflictError):
    """What was sent does not begin where the upload stands."""

    code = "upload_offset_mismatch"
    title = "The upload stands at another offset."
    field = "Upload-Offset"


class UploadTooLongError(InvalidError):
    """More was sent than the upload was said to have."""

    code = "upload_too_long"
    title = "This is more than the upload was said to have."


def begin_upload(*, by: Actor, name: str, size: int) -> FileUpload:
    """Let a file come in parts, and keep room for it until it has come or its time is over.

    Raises `InvalidFileNameError`, `TypeNotAllowedError`, `EmptyFileError`, `FileTooLargeError` and
    `QuotaExceededError`.
    """
    require_name(name)
    expected_type(name, allowed=settings.FILES_TYPES or KNOWN)
    if size == 0:
        raise EmptyFileError(field="size")
    if size > settings.FILES_MAX_SIZE:
        most = settings.FILES_MAX_SIZE
        raise FileTooLargeError(f"A file has at most {most} bytes.", field="size", meta={"most": most})
    with transaction.atomic():
        hold_quota(by.pk)
        require_room(by.pk, size)
        return crud.create(FileUpload, {"owner_id": by.pk, "name": name, "size": size, "expires_at": _end()})


def append(upload: FileUpload, *, offset: int, content: Readable) -> FileUpload:
    """Append what comes from an offset on, and return how the upload stands; the last byte makes it a file.

    Raises `MissingError` for an upload that is over, `UploadOffsetError`, `UploadTooLongError`, `TypeMismatchError` and
    `UnsafeArchiveError`, which end the upload, and `QuotaExceededError`; and
    whatever `content` raises, after keeping what had come.
    """
    for block in _blocks(content):
        try:
            upload = _append(upload.pk, offset=offset, block=block)
        except (TypeMismatchError, TypeNotAllowedError, UnsafeArchiveError):
            # It is of no use, however often it is tried.
            end_upload(upload, by=None)
            raise
        offset += len(block)
    return upload


def require_offset(upload: FileUpload, offset: int, *, more: int = 0) -> None:
    """Raise `UploadOffsetError` unless the upload stands at `offset`, and `UploadTooLongError` for too much more."""
    if upload.offset != offset:
        raise UploadOffsetError(meta={"offset": upload.offset})
    if offset + more > upload.size:
        raise UploadTooLongError(meta={"most": upload.size - offset})


@transaction.atomic
def end_upload(upload: FileUpload, *, by: Actor | None) -> None:
    """Forget an upload and what has come of it; the file that it became stays."""
    FileUpload.objects.filter(pk=upload.pk).delete()
    transaction.on_commit(lambda: store().drop_part(upload.pk))


def purge_uploads(*, at: datetime) -> int:
    """Forget the uploads whose time is over, and the parts that no upload has; return how many of both."""
    over = FileUpload.objects.filter(expires_at__lte=at)
    forgotten = over.delete()[0]
    parts = set(store().parts())
    orphans = parts.difference(FileUpload.objects.filter(pk__in=parts).values_list("pk", flat=True))
    for part in orphans:
        store().drop_part(part)
    return forgotten + len(orphans)


@transaction.atomic
def _append(pk: UUID, *, offset: int, block: bytes) -> FileUpload:
    upload = FileUpload.objects.open(at=timezone.now()).select_for_update().filter(pk=pk).first()
    if upload is None:
        raise MissingError
    require_offset(upload, offset, more=len(block))
    store().write_part(pk, offset, block)
    come = offset + len(block)
    changes: dict[str, Any] = {"offset": come, "expires_at": _end()}
    if come == upload.size:
        changes["file"] = _finished(upload)
        transaction.on_commit(lambda: store().drop_part(pk))
    for name, value in changes.items():
        setattr(upload, name, value)
    upload.save(update_fields=[*changes, "updated_at"])
    return upload


def _finished(upload: FileUpload) -> FileAsset:
    draft = store().draft_of_part(upload.pk, upload.size)
    try:
        with draft.path.open("rb") as content:
            media_type = type_of(upload.name, content, allowed=settings.FILES_TYPES or KNOWN)
        return keep_received(draft, owner_id=upload.owner_id, name=upload.name, media_type=media_type, came_by=upload)
    finally:
        store().discard(draft)


def _blocks(content: Readable) -> Iterator[bytes]:
    """Yield what comes in blocks; of one that breaks off as much as has come, before the failure."""
    failure: Exception | None = None
    is_over = False
    while failure is None and not is_over:
        block = bytearray()
        while failure is None and not is_over and len(block) < BLOCK:
            try:
                piece = content.read(PIECE)
            except OSError as error:
                failure, piece = error, b""
            block += piece
            is_over = not piece
        if block:
            yield bytes(block)
    if failure is not None:
        raise failure


def _end() -> datetime:
    return timezone.now() + settings.FILES_UPLOADS_KEPT
