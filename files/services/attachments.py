"""Files that are attached to records: who sees the record reads them, and they stay as long as they are attached."""

from django.db import models, transaction

from core import crud
from core.customfields.errors import FileUnavailableError
from core.db.constraints import refusal
from core.errors import ConflictError, InvalidError
from core.visibility import Actor
from files.models import FileAsset, FileLink
from files.selectors import may_refer
from files.services.links import end_links, keep_files

MOST_ATTACHMENTS = 50


class AlreadyAttachedError(ConflictError):
    """The record has this file already."""

    code = "already_attached"
    title = "The file is attached already."
    field = "file"


class TooManyAttachmentsError(InvalidError):
    """A record would have more files than it may."""

    code = "too_many_attachments"
    title = f"A record has at most {MOST_ATTACHMENTS} files attached."
    field = "file"


refusal("files_filelink_attached_once", AlreadyAttachedError)


@transaction.atomic
def attach_file(record: models.Model, asset: FileAsset, *, by: Actor | None) -> FileLink:
    """Attach a file to a record that is locked: the file stays, and whoever sees the record reads it.

    Whoever deletes the file meanwhile waits for this transaction, or this one for them. Raises `FileUnavailableError`
    for one that is not there for `by`, `AlreadyAttachedError` and `TooManyAttachmentsError`.
    """
    if asset.pk not in keep_files([asset.pk]) or not may_refer(asset.pk, by):
        raise FileUnavailableError(field="file")
    kind = record._meta.label_lower
    if FileLink.objects.attachments(kind).filter(object_id=record.pk).count() >= MOST_ATTACHMENTS:
        raise TooManyAttachmentsError
    return crud.create(FileLink, {"asset": asset, "entity_type": kind, "object_id": record.pk}, by=by)


@transaction.atomic
def detach_file(link: FileLink, *, by: Actor | None) -> None:
    """Let a record refer to a file no longer; whom the file was about stays known as long as it lies."""
    end_links(FileLink.objects.present().filter(pk=link.pk))
