"""Which records refer to which files."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from core.db.locks import keep_rows
from core.models import CustomField
from files.models import FileAsset, FileLink
from files.selectors import people_of


class _Links:
    """Keeps what the custom fields of records refer to, as `core.customfields.files.Keeper` says."""

    def refer(self, definition: CustomField, wanted: Mapping[UUID, UUID], *, among: Iterable[UUID]) -> list[UUID]:
        """Note the files by record, for the records `among`; return the records whose file is not there any more.

        Whoever deletes a file meanwhile waits for this transaction, or this one for them.
        """
        held = FileLink.objects.present().filter(custom_field=definition, object_id__in=list(among))
        present = dict(held.values_list("object_id", "asset_id"))
        if stale := [pk for pk, asset_id in present.items() if wanted.get(pk) != asset_id]:
            end_links(held.filter(object_id__in=stale))
        missing = {pk: asset_id for pk, asset_id in wanted.items() if present.get(pk) != asset_id}
        there = keep_files(missing.values())
        FileLink.objects.bulk_create(
            FileLink(custom_field=definition, object_id=pk, asset_id=asset_id)
            for pk, asset_id in sorted(missing.items())
            if asset_id in there
        )
        return [pk for pk, asset_id in missing.items() if asset_id not in there]

    def release(self, ids: Iterable[UUID]) -> None:
        """End the references of records that are about to be deleted."""
        end_links(FileLink.objects.present().filter(object_id__in=list(ids)))


def end_links(links: QuerySet[FileLink]) -> None:
    """Note that these references are over, and whose records they were of, while that can still be told."""
    ending = list(links.select_related("custom_field"))
    for kind in {link.kind for link in ending}:
        of_kind = [link for link in ending if link.kind == kind]
        people = people_of(kind, [link.object_id for link in of_kind])
        for link in of_kind:
            link.people = people[link.object_id]
            link.ended_at = link.updated_at = timezone.now()
    FileLink.objects.bulk_update(ending, ["people", "ended_at", "updated_at"])


def keep_files(ids: Iterable[UUID]) -> set[UUID]:
    """Let nobody delete these files before this transaction ends; return the ids of those that are there."""
    wanted = sorted(set(ids))
    if not wanted:
        return set()
    locked = keep_rows(FileAsset, wanted)
    # After whoever was about to delete one, so that it is seen.
    return set(FileAsset.objects.live().filter(pk__in=locked).values_list("pk", flat=True))


LINKS = _Links()
