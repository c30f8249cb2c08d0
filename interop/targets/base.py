"""What every target does, and how most of them do it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.apps import apps
from django.db import models

from core.bulk import faults
from core.errors import DomainError
from core.models import CustomizableModel, TimeStampedUUIDModel
from core.visibility import Actor
from interop.models import ImportJob, ImportRow
from interop.sources.records import compose, decompose
from interop.targets.items import Item
from interop.targets.values import PENDING, Value, encode

CUSTOM = "custom_fields"


class Target:
    """One resource as a place that records go to.

    A subclass names the values an import can write, finds rows by natural key, and calls the bulk
    services of the app that owns them.
    """

    resource: ClassVar[str]
    model: ClassVar[type[TimeStampedUUIDModel]]
    values: ClassVar[tuple[Value, ...]]
    # Where the parts of the natural key lie, seen from a row.
    key_paths: ClassVar[tuple[str, ...]]
    # Whether what an import writes is remembered, so that what somebody edits afterwards is told apart.
    remembers: ClassVar[bool] = True

    def __init__(self, by: Actor | None, job: ImportJob) -> None:
        self.by = by
        self.job = job
        self.fields: Mapping[str, Value] = {value.name: value for value in self.values}
        self.entity_type = self.model._meta.label_lower
        self.takes_custom_fields = issubclass(self.model, CustomizableModel)

    # --- finding ---

    def ids_by_key(self, keys: Collection[str]) -> dict[str, UUID]:
        """Return the ids of the rows with these natural keys."""
        parts = [decompose(key) for key in keys]
        lookups = {
            f"{path}__among": {part[place] for part in parts if len(part) == len(self.key_paths)}
            for place, path in enumerate(self.key_paths)
        }
        rows = self.model._base_manager.filter(**lookups).values_list("pk", *self.key_paths)
        found = {compose(*row[1:]): row[0] for row in rows}
        return {key: found[key] for key in keys if key in found}

    def match(self, items: Sequence[Item]) -> dict[int, UUID]:
        """Return the id of the row that each item concerns, by the item's position."""
        found = self.ids_by_key({item.record.key for item in items})
        return {item.position: found[item.record.key] for item in items if item.record.key in found}

    def load(self, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Any]:
        """Return rows by id with all that `read` needs, locked until the transaction ends if asked."""
        rows = self.queryset().filter(pk__among=ids)
        if lock:
            rows = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
        return {row.pk: row for row in rows}

    def hold(self, items: Sequence[Item]) -> None:
        """Lock what has to be locked before the rows of items are, which may turn out to concern others by now."""

    def queryset(self) -> models.QuerySet[Any]:
        return self.model._default_manager.all()

    # --- comparing ---

    def read(self, row: Any) -> dict[str, Any]:
        """Return what a row holds of the fields that an import can write, encoded."""
        held = {value.name: encode(self.held(value, row)) for value in self.values if not value.fixed}
        if self.takes_custom_fields:
            held |= {f"{CUSTOM}.{name}": encode(value) for name, value in row.custom_data.items()}
        return held

    def held(self, value: Value, row: Any) -> Any:
        return value.held_by(row)

    # What a row that was just created holds of fields that were not given and that no column shows.
    absent: ClassVar[Mapping[str, Any]] = {}

    def read_created(self, item: Item) -> dict[str, Any]:
        """Return what a row that was just created from an item holds, encoded."""
        given = item.new_values
        held: dict[str, Any] = {}
        for value in self.values:
            if value.fixed:
                continue
            if value.name in given:
                held[value.name] = encode(given[value.name])
            elif value.name in self.absent:
                held[value.name] = self.absent[value.name]
            else:
                held[value.name] = encode(self.held(value, item.row))
        custom = item.row.custom_data if self.takes_custom_fields else {}
        return held | {f"{CUSTOM}.{name}": encode(value) for name, value in custom.items()}

    def normalise(self, item: Item) -> None:
        """Bring the values of an item, whose references are resolved, into the form in which they are compared."""

    def yields(self, item: Item) -> bool:
        """Say whether an item, which would change a row, leaves it as it is; it notes why."""
        return False

    # --- checking ---

    def check(self, item: Item) -> list[DomainError]:
        """Return what is wrong with the values of an item, as far as can be told without writing."""
        if item.row is None:
            return faults(self.model, self.columns(item.new_values))
        return faults(self.model, self.columns(item.changed_values), partial=True, row=item.row)

    def forecast(self, items: Sequence[Item]) -> None:
        """Reject, or note something on, items by what other rows hold and earlier items are going to."""

    def columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values as a service takes them: references by `<name>_id`."""
        columns: dict[str, Any] = {}
        for name, value in values.items():
            field = self.fields.get(name)
            is_reference = field is not None and field.kind == "ref"
            columns[f"{name}_id" if is_reference else name] = value
        return columns

    # --- writing ---

    def create(self, items: Sequence[Item]) -> None:
        """Create the rows of items; reject those that are refused."""
        raise TypeError(f"{self.resource} says nothing about creating")

    def update(self, items: Sequence[Item]) -> None:
        """Change the rows of items; reject those that are refused."""
        raise TypeError(f"{self.resource} says nothing about updating")

    def versions(self, row: Any) -> dict[str, int]:
        """Return the versions that tell whether a row was changed since, by `entity_type:id`."""
        return {f"{self.entity_type}:{row.pk}": row.version}

    def touched(self, items: Sequence[Item]) -> dict[str, set[UUID]]:
        """Return rows of other resources that writing the items changes as well, by resource."""
        return {}

    def versions_now(self, entity_type: str, ids: Collection[UUID]) -> dict[UUID, int]:
        """Return what `versions` says of rows as they are now, by id."""
        model: Any = apps.get_model(entity_type)
        return dict(model._base_manager.filter(pk__among=ids).values_list("pk", "version"))

    # --- taking back ---

    def lock_ahead(self, rows: models.QuerySet[ImportRow]) -> None:
        """Lock what taking back all of these rows needs at once, where single steps would lock in another order."""

    def take_up(self, rows: Sequence[ImportRow]) -> None:
        """Be told which rows of the staging table are about to be taken back."""

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        """Return everything that `restore` needs to bring rows back as they are, as JSON."""
        raise TypeError(f"{self.resource} says nothing about keeping")

    def restore(self, kept: Sequence[Any]) -> None:
        """Bring rows back as they were kept; raise the error of whatever forbids it."""
        raise TypeError(f"{self.resource} says nothing about restoring")

    def remove(self, ids: Collection[UUID]) -> None:
        """Delete rows that an import created; raise `InUseError` when others refer to them."""
        raise TypeError(f"{self.resource} says nothing about removing")


def settle_created(items: Sequence[Item], results: Iterable[Any]) -> None:
    """Give each item the row that was created for it, or the reason why none was."""
    for item, result in zip(items, results, strict=True):
        if isinstance(result, DomainError):
            item.refuse(result)
        else:
            item.row = result


def settle_updated(items: Sequence[Item], results: Iterable[DomainError | None]) -> None:
    """Reject the items whose change was refused."""
    for item, error in zip(items, results, strict=True):
        if error is not None:
            item.refuse(error)


def is_pending(value: Any) -> bool:
    """Say whether a value stands, in whole or in part, for a row that does not exist yet."""
    return value is PENDING or (isinstance(value, list | tuple) and PENDING in value)
