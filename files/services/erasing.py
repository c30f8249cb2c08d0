"""What becomes of files when a person is erased, and which are theirs in the first place."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from django.db.models import Exists, OuterRef, Q

from core.errors import ConflictError
from core.privacy import Subject
from files.models import FileAsset, FileLink
from files.selectors import is_protected, links_about
from files.services.scanning import require_released
from files.store import BLOCK, store

HELD_BACK = "held-back.txt"
MISSING = "The content of this file is missing in the store: {asset.name}, SHA-256 {asset.sha256}\n"


def files_of(subject: Subject) -> Q:
    """Match the files that are a person's.

    These are what their records refer to or did, unless a record of others refers to it, and what they uploaded, unless
    it was ever about others. What rows of another app keep goes with those.
    """
    links, theirs = FileLink.objects.filter(asset=OuterRef("pk")), links_about(subject)
    others = links.exclude(theirs)
    uploaded = Q(owner__person__in=subject.people) & ~Q(Exists(others))
    # Those that were found before their links were deleted.
    found = Q(pk__in=subject.ids_in(FileAsset))
    return (uploaded | Q(Exists(links.filter(theirs))) | found) & ~Q(Exists(others.present())) & ~is_protected()


def erase_links(subject: Subject, *, dry_run: bool) -> int:
    """Forget which files the records of a person refer to or did, so that the files can go; return how many links."""
    files = FileAsset.objects.filter(files_of(subject)).values("pk")
    links = FileLink.objects.filter(links_about(subject) | Q(asset__in=files))
    return links.count() if dry_run else links.delete()[0]


def content_of(asset: FileAsset) -> tuple[str, Iterator[bytes]]:
    """Return under which name an export has the content of a file, and the content in blocks.

    Where the store has lost it, or it is held back, the export says so in its place, instead of being impossible.
    """
    try:
        require_released(asset)
    except ConflictError as held_back:
        note = f"{asset.name}, SHA-256 {asset.sha256}: {held_back.detail}\n"
        return f"{asset.pk}.{HELD_BACK}", iter([note.encode()])
    if not store().has(asset.sha256):
        return f"{asset.pk}.missing.txt", iter([MISSING.format(asset=asset).encode()])
    return f"{asset.pk}{PurePosixPath(asset.name).suffix.lower()}", _blocks(asset)


def _blocks(asset: FileAsset) -> Iterator[bytes]:
    with store().opened(asset.sha256) as content:
        while block := content.read(BLOCK):
            yield block
