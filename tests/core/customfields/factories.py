"""The least valid definitions, for the items of the tests' own app."""

from typing import Any

import factory

from core import crud
from core.models import CustomField, CustomFieldType
from tests.testapp.models import Item

ITEM = "testapp.item"


class CustomFieldFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CustomField

    entity_type = ITEM
    name = factory.Sequence(lambda number: f"field_{number}")
    label = factory.LazyAttribute(lambda field: field.name.replace("_", " ").capitalize())
    field_type = CustomFieldType.TEXT


def choices(*values: str) -> list[dict[str, str]]:
    return [{"value": value, "label": value.upper()} for value in values]


def definition(field_type: str, **options: Any) -> CustomField:
    """Return an unsaved definition."""
    return CustomFieldFactory.build(field_type=field_type, **options)


def make_item(name: str = "item", **custom_fields: Any) -> Item:
    """Create an item with custom values, as its service would."""
    return crud.create(Item, {"name": name, "custom_fields": custom_fields})


def change_item(item: Item, **custom_fields: Any) -> Item:
    """Change custom values of an item, as its service would."""
    return crud.update(item, {"custom_fields": custom_fields})


class Everybody:
    """An actor with every permission."""

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return True


ACTOR: Any = Everybody()
