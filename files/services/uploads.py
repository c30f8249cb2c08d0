"""Taking files in, deleting them and bringing them back."""

from collections import Counter, defaultdict
from typing import Any, BinaryIO
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.services import record
from core import crud
from core.errors import ConflictError, InUseError, InvalidError
from core.events import publish
from core.visibility import Actor, visible
from files.events import ScanDue
from files.models import FileAsset, FileUpload
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

    Raises `InvalidFileNameError`, `EmptyFileError`, `FileTooLargeError`, `TypeNotAllowedError`, `TypeMismatchError`,
    `UnsafeArchiveError` and `QuotaExceededError`.
    """
    require_name(name)
    draft = store().receive(content, largest=settings.FILES_MAX_SIZE)
    try:
        if not draft.size:
            raise EmptyFileError
        with draft.path.open("rb") as received:
            media_type = type_of(name, received, allowed=settings.FILES_TYPES or KNOWN)
        return keep_received(draft, owner_id=by.pk, name=name, media_type=media_type)
    finally:
        store().discard(draft)


def require_room(owner_id: UUID, size: int, *, besides: FileUpload | None = None) -> None:
    """Raise `QuotaExceededError` unless somebody, whose quota is held, may keep so many bytes more.

    What is still to come of their uploads counts as if it were there, but for that of the upload `besides`.
    """
    kept = FileAsset.objects.filter(owner=owner_id).aggregate(sum=Sum("size"))["sum"] or 0
    coming = FileUpload.objects.open(at=timezone.now()).filter(owner=owner_id, file=None)
    if besides is not None:
        coming = coming.exclude(pk=besides.pk)
    used = kept + (coming.aggregate(sum=Sum("size"))["sum"] or 0)
    if used + size > settings.FILES_QUOTA:
        raise QuotaExceededError(meta={"quota": settings.FILES_QUOTA, "used": used})


@transaction.atomic
def keep_received(
    draft: Draft, *, owner_id: UUID, name: str, media_type: str, came_by: FileUpload | None = None
) -> FileAsset:
    """Make a file of what was received, within its owner's quota; raises `QuotaExceededError`."""
    hold_quota(owner_id)
    require_room(owner_id, draft.size, besides=came_by)
    share_content(draft.sha256)
    store().keep(draft)
    facts = {"name": name, "media_type": media_type, "size": draft.size, "sha256": draft.sha256}
    asset = crud.create(FileAsset, {"owner_id": owner_id, **facts})
    if settings.CLAMD_URL:
        publish(ScanDue(sha256=draft.sha256))
    return asset


@transaction.atomic
def delete_file(asset: FileAsset, *, by: Actor | None) -> None:
    """Take a file out of sight; raises `InUseError` while a record refers to it."""
    # Alone, so that nobody who has begun to refer to it is missed.
    locked = FileAsset.objects.select_for_update().get(pk=asset.pk)
    if uses := _uses(locked, by):
        raise InUseError(meta={"referred_to_by": uses})
    if locked.deleted_at is None:
        crud.update(asset, {"deleted_at": timezone.now()})
        record(action="files.deleted", actor=by, subject=asset, detail={"sha256": asset.sha256})


def _uses(asset: FileAsset, by: Actor | None) -> dict[str, int]:
    """Count by kind the records that refer to a file; those that are out of the actor's sight are `records`."""
    counts: Counter[str] = Counter()
    links = asset.links.present().values_list(Coalesce("custom_field__entity_type", "entity_type"), "object_id")
    kinds: defaultdict[str, list[UUID]] = defaultdict(list)
    for entity_type, object_id in links:
        kinds[entity_type].append(object_id)
    for entity_type, ids in kinds.items():
        model = apps.get_model(entity_type)
        rows = model._default_manager.filter(pk__among=ids)
        seen = (rows if by is None else visible(rows, by)).count()
        counts[str(model._meta.verbose_name_plural)] += seen
        counts["records"] += len(ids) - seen
    return {kind: count for kind, count in counts.items() if count}


@transaction.atomic
def restore_file(asset: FileAsset, *, by: Actor | None) -> None:
    """Bring a deleted file back, as long as it is kept."""
    crud.update(asset, {"deleted_at": None})
    record(action="files.restored", actor=by, subject=asset)
