"""What becomes of files when a person is erased, and which are theirs in the first place."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from django.db.models import Exists, OuterRef, Q

from core.privacy import Subject
from files.models import FileAsset, FileLink
from files.store import BLOCK, store


def files_of(subject: Subject) -> Q:
    """Match what the records of a person refer to and what they uploaded, unless a record of others refers to it."""
    links = FileLink.objects.filter(asset=OuterRef("pk"))
    theirs = Exists(links.filter(object_id__in=subject.ids)) | Q(owner__person__in=subject.people)
    # Those that were found before their links were deleted.
    found = Q(pk__in=subject.ids_in(FileAsset))
    return (theirs | found) & ~Q(Exists(links.exclude(object_id__in=subject.ids)))


def erase_links(subject: Subject, *, dry_run: bool) -> int:
    """Let the records of a person refer to no file any more, so that the files can go; return how many did."""
    links = FileLink.objects.filter(object_id__in=subject.ids)
    return links.count() if dry_run else links.delete()[0]


def content_of(asset: FileAsset) -> tuple[str, Iterator[bytes]]:
    """Return under which name an export has the content of a file, and the content in blocks."""
    return f"{asset.pk}{PurePosixPath(asset.name).suffix.lower()}", _blocks(asset)


def _blocks(asset: FileAsset) -> Iterator[bytes]:
    with store().opened(asset.sha256) as content:
        while block := content.read(BLOCK):
            yield block
