"""Who may know the values of protected custom fields: whoever may know what the kind of record masks of a row.

The mask that an app declares with `custom_fields=True` is the rule. Of a kind of record without one, nobody knows
protected values.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Model, Q

from core.customfields.selectors import active, definitions_for, definitions_of
from core.masks import custom_mask_of
from core.models import CustomField, CustomizableModel


def rows_known(model: type[Model], actor: Any) -> Q | None:
    """Return the rows of which the actor may know protected values; None for none, and for nobody."""
    mask = custom_mask_of(model)
    return None if mask is None or actor is None else mask.rule(actor)


def is_known(row: CustomizableModel) -> bool:
    """Say whether whoever the row was loaded for, by `core.masks.with_knowledge`, may know its protected values."""
    mask = custom_mask_of(type(row))
    return mask is not None and bool(getattr(row, mask.attribute, False))


def searchable(model: type[Model], definitions: Iterable[CustomField] | None = None, *, by: Any = None) -> dict[str, Q]:
    """Map the active fields of `model` that search looks into to the rows in which it does so for an actor."""
    known = rows_known(model, by)
    return {
        definition.name: known if definition.protected and known is not None else Q()
        for definition in active(definitions_of(model) if definitions is None else definitions)
        if definition.is_searchable and not (definition.protected and known is None)
    }


def hidden_names(
    given: Collection[str], model: type[Model], *, row: Model | None, actor: Any, holder: Any
) -> list[str]:
    """Return which names belong to protected fields of a row that the actor may not know.

    Without a row, which is yet to come, hidden is what the actor may know of none. `holder` is as in `definitions_for`.
    """
    if not issubclass(model, CustomizableModel):
        return []
    protected = {each.name for each in active(definitions_for(holder, model)) if each.protected}.intersection(given)
    mask = custom_mask_of(model)
    if not protected or mask is None:
        return sorted(protected)
    is_hidden = mask.rule(actor) is None if row is None else not mask.known(row, actor)
    return sorted(protected) if is_hidden else []
