"""The definitions that one request needs, read once: for its filters, its search and every row it shows."""

from typing import Any

from django.db.models import Model

from core.customfields.selectors import definitions_of, entity_type_of
from core.models import CustomField

CACHE = "custom_field_definitions"


def definitions_for(holder: Any, model: type[Model]) -> list[CustomField]:
    """Return the definitions for `model`, read once for each `holder` (a request)."""
    known: dict[str, list[CustomField]] | None = getattr(holder, CACHE, None)
    if known is None:
        known = {}
        setattr(holder, CACHE, known)
    entity_type = entity_type_of(model)
    if entity_type not in known:
        known[entity_type] = definitions_of(model)
    return known[entity_type]
