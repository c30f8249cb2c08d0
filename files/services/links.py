"""Which records refer to which files."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from core.db.locks import keep_rows
from core.models import CustomField
from files.models import FileAsset, FileLink


class _Links:
    """Keeps what the custom fields of records refer to, as `core.customfields.files.Keeper` says."""

    def refer(self, definition: CustomField, wanted: Mapping[UUID, UUID], *, among: Iterable[UUID]) -> list[UUID]:
        """Note the files by record, for the records `among`; return the records whose file is not there any more.

        Whoever deletes a file meanwhile waits for this transaction, or this one for them.
        """
        held = FileLink.objects.filter(custom_field=definition, object_id__in=list(among))
        present = dict(held.values_list("object_id", "asset_id"))
        if stale := [pk for pk, asset_id in present.items() if wanted.get(pk) != asset_id]:
            held.filter(object_id__in=stale).delete()
        missing = {pk: asset_id for pk, asset_id in wanted.items() if present.get(pk) != asset_id}
        there = _kept(missing.values())
        FileLink.objects.bulk_create(
            FileLink(custom_field=definition, object_id=pk, asset_id=asset_id)
            for pk, asset_id in sorted(missing.items())
            if asset_id in there
        )
        return [pk for pk, asset_id in missing.items() if asset_id not in there]

    def release(self, ids: Iterable[UUID]) -> None:
        """Forget the references of records that are deleted."""
        FileLink.objects.filter(object_id__in=list(ids)).delete()


def _kept(ids: Iterable[UUID]) -> set[UUID]:
    """Let nobody delete these files before this transaction ends; return the ids of those that are there."""
    wanted = sorted(set(ids))
    if not wanted:
        return set()
    locked = keep_rows(FileAsset, wanted)
    # After whoever was about to delete one, so that it is seen.
    return set(FileAsset.objects.live().filter(pk__in=locked).values_list("pk", flat=True))


LINKS = _Links()
