"""Taking files in, deleting them and bringing them back."""

from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from audit.services import record
from core import crud
from core.errors import ConflictError, InUseError, InvalidError
from core.visibility import Actor
from files.models import FileAsset
from files.names import require_name
from files.services.locking import hold_quota, share_content
from files.store import Draft, store
from files.types import KNOWN, type_of


class EmptyFileError(InvalidError):
    """There is nothing in the file."""

    code = "empty_file"
    title = "The file is empty."
    field = "file"


class QuotaExceededError(ConflictError):
    """Whoever uploads keeps as much as they may; what was deleted counts until it is gone."""

    code = "quota_exceeded"
    title = "Your files take as much room as they may."
    field = "file"


def upload_file(*, by: Any, content: BinaryIO, name: str) -> FileAsset:
    """Take a file in, under the name it was sent with; its bytes are safe before there is a row.

    Raises `InvalidFileNameError`, `EmptyFileError`, `FileTooLargeError`, `TypeNotAllowedError`, `TypeMismatchError` and
    `QuotaExceededError`.
    """
    require_name(name)
    draft = store().receive(content, largest=settings.FILES_MAX_SIZE)
    try:
        if not draft.size:
            raise EmptyFileError
        with draft.path.open("rb") as received:
            media_type = type_of(name, received, allowed=settings.FILES_TYPES or KNOWN)
        return _recorded(draft, by=by, name=name, media_type=media_type)
    finally:
        store().discard(draft)


@transaction.atomic
def _recorded(draft: Draft, *, by: Any, name: str, media_type: str) -> FileAsset:
    hold_quota(by.pk)
    used = FileAsset.objects.filter(owner=by.pk).aggregate(used=Sum("size"))["used"] or 0
    if used + draft.size > settings.FILES_QUOTA:
        raise QuotaExceededError(meta={"quota": settings.FILES_QUOTA, "used": used})
    share_content(draft.sha256)
    store().keep(draft)
    facts = {"name": name, "media_type": media_type, "size": draft.size, "sha256": draft.sha256}
    return crud.create(FileAsset, {"owner_id": by.pk, **facts})


@transaction.atomic
def delete_file(asset: FileAsset, *, by: Actor | None) -> None:
    """Take a file out of sight; raises `InUseError` while a record refers to it."""
    # Alone, so that nobody who has begun to refer to it is missed.
    locked = FileAsset.objects.select_for_update().get(pk=asset.pk)
    uses = locked.links.filter(ended_at=None).count()
    if uses:
        raise InUseError(meta={"referred_to_by": {"records": uses}})
    if locked.deleted_at is None:
        crud.update(asset, {"deleted_at": timezone.now()})
        record(action="files.deleted", actor=by, subject=asset, detail={"sha256": asset.sha256})


@transaction.atomic
def restore_file(asset: FileAsset, *, by: Actor | None) -> None:
    """Bring a deleted file back, as long as it is kept."""
    crud.update(asset, {"deleted_at": None})
    record(action="files.restored", actor=by, subject=asset)
