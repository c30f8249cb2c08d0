"""How long files are kept, the collection of what nothing names any more, and whether everything is as it was."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from core.db.purging import purge
from core.privacy.retention import held_people, spared
from files.models import FileAsset, FileLink
from files.services.locking import hold_content
from files.services.resuming import purge_uploads
from files.store import BLOCK, store

BATCH = 1000
# Bytes that came lately may be of somebody who is not done; none that a row names or is about to name are in danger.
LEFT_ALONE = timedelta(hours=1)


def deleted_due(at: datetime) -> QuerySet[FileAsset]:
    """Return the deleted files that have had their time, but for those of people whose records are held.

    Theirs are those that they uploaded, and those that their records referred to.
    """
    links = FileLink.objects.filter(asset=OuterRef("pk"))
    kept = links.present() | links.filter(people__overlap=held_people())
    due = FileAsset.objects.deleted_before(at - settings.FILES_DELETED_KEPT).exclude(Exists(kept))
    return spared(due, "owner__person")


def collect_garbage(*, at: datetime) -> int:
    """Forget files and uploads that have had their time, delete bytes that nothing has, and return how many of all."""
    # Before the files that they became.
    forgotten = purge_uploads(at=at)
    FileLink.objects.filter(asset__in=deleted_due(at).values("pk")).delete()
    forgotten += purge(deleted_due(at), order="deleted_at", batch=BATCH)
    return forgotten + _delete_unnamed() + store().sweep()


def verify() -> Iterator[tuple[str, str]]:
    """Read every content that a file has, and yield those that are `missing` or `damaged`, by their digests."""
    for sha256 in FileAsset.objects.order_by("sha256").values_list("sha256", flat=True).distinct().iterator():
        digest = hashlib.sha256()
        try:
            with store().opened(sha256) as content:
                while block := content.read(BLOCK):
                    digest.update(block)
        except FileNotFoundError:
            yield sha256, "missing"
        else:
            if digest.hexdigest() != sha256:
                yield sha256, "damaged"


def _delete_unnamed() -> int:
    deleted = 0
    found = store().digests(older_than=LEFT_ALONE)
    while batch := list(islice(found, BATCH)):
        named = set(FileAsset.objects.filter(sha256__in=batch).values_list("sha256", flat=True))
        deleted += sum(_delete(digest) for digest in batch if digest not in named)
    return deleted


@transaction.atomic
def _delete(sha256: str) -> bool:
    """Delete a content unless a file has it by now, or is about to."""
    if not hold_content(sha256) or FileAsset.objects.filter(sha256=sha256).exists():
        return False
    store().delete(sha256)
    return True
