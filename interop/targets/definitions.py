"""Definitions of custom fields as a place that records go to: a source may say more than our own fields hold."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from core import snapshots
from core.customfields.services import create_custom_field, delete_custom_field, update_custom_field
from core.db.constraints import refusing
from core.errors import DomainError
from core.models import CustomField
from interop.targets.base import Target
from interop.targets.items import Item
from interop.targets.values import Value


class CustomFields(Target):
    """Definitions; the choices of one that exists are added to, never taken away."""

    resource = "custom-fields"
    model = CustomField
    key_paths = ("entity_type", "name")
    values = (
        Value("entity_type", fixed=True),
        Value("name", fixed=True),
        Value("field_type", fixed=True),
        Value("label", fixed=True),
        Value("order", "integer", fixed=True),
        Value("choices", "json"),
    )

    def held(self, value: Value, row: Any) -> Any:
        return [choice["value"] for choice in row.choices] if value.name == "choices" else super().held(value, row)

    def normalise(self, item: Item) -> None:
        if item.row is not None and item.values.get("choices"):
            known = [choice["value"] for choice in item.row.choices]
            item.values["choices"] = [*known, *(c for c in item.values["choices"] if c not in known)]

    def check(self, item: Item) -> list[DomainError]:
        return []

    def create(self, items: Sequence[Item]) -> None:
        for item in items:
            try:
                with refusing():
                    item.row = create_custom_field(by=self._actor, **item.new_values)
            except DomainError as refused:
                item.refuse(refused)

    def update(self, items: Sequence[Item]) -> None:
        for item in items:
            changes: dict[str, Any] = dict(item.changed_values)
            labels = {choice["value"]: choice for choice in item.row.choices}
            if "choices" in changes:
                changes["choices"] = [labels.get(choice, choice) for choice in changes["choices"]]
            try:
                with refusing():
                    update_custom_field(item.row, by=self._actor, **changes)
            except DomainError as refused:
                item.refuse(refused)

    @property
    def _actor(self) -> Any:
        return self.by

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return {pk: [kept] for pk, kept in snapshots.keep(CustomField, ids).items()}

    def restore(self, kept: Sequence[Mapping[str, Any]]) -> None:
        snapshots.restore(dict(single) for single in kept)

    def remove(self, ids: Collection[UUID]) -> None:
        for definition in CustomField.objects.filter(pk__in=list(ids)):
            delete_custom_field(definition, by=self._actor)
