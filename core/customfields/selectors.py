"""Questions about definitions, and which records hold values."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

from core.cache.generations import Reading, generations
from core.db.positions import hold_to_present
from core.models import CustomField, CustomizableModel
from core.together import once

REMEMBERED = "custom_field_definitions"
# Of the active fields of a kind of record: the name, the type, and whether it is protected.
Names = tuple[tuple[str, str, bool], ...]


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
    entity_type = entity_type_of(model)
    return once((definitions_of, entity_type), lambda: _definitions(entity_type))


def _definitions(entity_type: str) -> list[CustomField]:
    return list(CustomField.objects.filter(entity_type=entity_type).order_by("order", "name"))


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


def names_shown(holder: Any, model: type[Model]) -> Names:
    """Return the names of the active definitions, each with its type and whether it is protected.

    They are remembered for as long as no definition has changed; `holder` is as in `definitions_for`.
    """
    entity_type = entity_type_of(model)
    reading = None if connection.in_atomic_block else generations().read([CustomField._meta.label_lower])
    if reading is None:
        return _names(definitions_for(holder, model))
    known = _shown.get(entity_type)
    if known is None or known[0] != reading:
        # Read now, not what the holder read before the generation was asked for.
        hold_to_present()
        known = _shown[entity_type] = (reading, _names(definitions_of(model)))
    return known[1]


def _names(definitions: Iterable[CustomField]) -> Names:
    return tuple((each.name, each.field_type, each.protected) for each in active(definitions))


# By entity type: at which generation its definitions were read, and what `names_shown` returned.
_shown: dict[str, tuple[Reading | None, Names]] = {}


def active(definitions: Iterable[CustomField]) -> list[CustomField]:
    """Return the definitions that are shown and take values."""
    return [definition for definition in definitions if definition.is_active]


def is_held(definition: CustomField) -> bool:
    """Say whether any record holds a value of the field."""
    model = customizable_models().get(definition.entity_type)
    return model is not None and model._base_manager.filter(custom_data__has_key=definition.name).exists()
