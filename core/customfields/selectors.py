"""Questions about definitions, and which records hold values."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import Model

from core.models import CustomField, CustomizableModel

REMEMBERED = "custom_field_definitions"


@cache
def customizable_models() -> dict[str, type[CustomizableModel]]:
    """Map each entity type ("students.student") to its model."""
    return {
        model._meta.label_lower: model
        for model in apps.get_models()
        if issubclass(model, CustomizableModel) and not model._meta.proxy
    }


def entity_type_of(model: type[Model]) -> str:
    """Return the entity type of a model or of a proxy of it."""
    concrete = model._meta.concrete_model or model
    return concrete._meta.label_lower


def definitions_of(model: type[Model]) -> list[CustomField]:
    """Return every definition for `model`, archived ones included, in the order of display: one query."""
    return list(CustomField.objects.filter(entity_type=entity_type_of(model)).order_by("order", "name"))


def definitions_for(holder: Any, model: type[Model]) -> list[CustomField]:
    """Return the definitions of `definitions_of`, read once for each `holder`, which is a request.

    Its filters, its search and every row it shows share them.
    """
    known: dict[str, list[CustomField]] | None = getattr(holder, REMEMBERED, None)
    if known is None:
        known = {}
        setattr(holder, REMEMBERED, known)
    entity_type = entity_type_of(model)
    if entity_type not in known:
        known[entity_type] = definitions_of(model)
    return known[entity_type]


def active(definitions: Iterable[CustomField]) -> list[CustomField]:
    """Return the definitions that are shown and take values."""
    return [definition for definition in definitions if definition.is_active]


def is_held(definition: CustomField) -> bool:
    """Say whether any record holds a value of the field."""
    model = customizable_models().get(definition.entity_type)
    return model is not None and model._base_manager.filter(custom_data__has_key=definition.name).exists()
