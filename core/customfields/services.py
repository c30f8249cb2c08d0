"""Everything that changes definitions of custom fields, and what that does to the stored values."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, JSONField, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from core import crud
from core.customfields.definitions import faults, normalised_choices
from core.customfields.errors import DuplicateValuesError, ImmutableError
from core.customfields.locks import hold_exclusively
from core.customfields.selectors import customizable_models, is_held
from core.customfields.types import parsed
from core.customfields.unique import record
from core.customfields.values import shown
from core.errors import InUseError, raise_all
from core.models import CustomField, CustomizableModel, UniqueCustomValue
from core.visibility import Actor

BATCH = 1000
# How many duplicates a refusal names.
NAMED_DUPLICATES = 5


class CustomFieldValues(TypedDict, total=False):
    """What a definition is made of; `choices` may be bare texts."""

    entity_type: str
    name: str
    label: str
    field_type: str
    required: bool
    help_text: str
    default_value: Any
    choices: Sequence[str | Mapping[str, str]]
    validation_regex: str
    min_value: Decimal | None
    max_value: Decimal | None
    min_date: date | None
    max_date: date | None
    is_active: bool
    order: int
    unique_values: bool
    is_searchable: bool
    protected: bool


@transaction.atomic
def create_custom_field(*, by: Actor | None, **values: Unpack[CustomFieldValues]) -> CustomField:
    """Define a field; records have no value for it until somebody writes one.

    Raises the errors of `core.customfields.definitions`, all at once.
    """
    definition = CustomField()
    written = _sound(definition, values)
    return crud.create(CustomField, written)


@transaction.atomic
def update_custom_field(
    definition: CustomField, *, by: Actor | None, **changes: Unpack[CustomFieldValues]
) -> CustomField:
    """Change a definition; stricter rules apply to later writes, stored values stay as they are.

    A new name moves the stored values to it. Values become unique only if they already are, else
    `DuplicateValuesError`. A field that holds values keeps its type, else `InUseError`. The kind of
    record is fixed, else `ImmutableError`. `is_active` archives and restores.
    """
    before = copy(definition)
    if changes.get("entity_type", before.entity_type) != before.entity_type:
        raise ImmutableError("A definition stays with its kind of record.", field="entity_type")
    written = _sound(definition, changes)
    renamed = written.get("name", before.name) != before.name
    retyped = written.get("field_type", before.field_type) != before.field_type
    made_unique = written.get("unique_values", before.unique_values) != before.unique_values
    if renamed or retyped or made_unique:
        hold_exclusively(before.entity_type)
    if retyped and is_held(before):
        raise InUseError("Records hold values of this field; its type cannot change.", field="field_type")
    crud.update(definition, written)
    if renamed:
        _move_values(definition, before.name)
    if made_unique:
        _record_values(definition)
    return definition


@transaction.atomic
def delete_custom_field(definition: CustomField, *, by: Actor | None) -> None:
    """Delete a definition that no record holds a value of; raises `InUseError` for any other."""
    hold_exclusively(definition.entity_type)
    if is_held(definition):
        raise InUseError("Records hold values of this field; archive it instead.")
    crud.delete(definition)


def _sound(definition: CustomField, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be written, in normal form, or raise everything that is wrong with it."""
    candidate, written = copy(definition), dict(values)
    if "choices" in written:
        written["choices"] = normalised_choices(written["choices"])
    for name, value in written.items():
        setattr(candidate, name, value)
    raise_all(faults(candidate))
    if "default_value" in written:
        written["default_value"] = parsed(candidate, written["default_value"])
    if written.get("is_active", definition.is_active) != definition.is_active:
        written["archived_at"] = None if written["is_active"] else timezone.now()
    return written


def _batches(model: type[CustomizableModel], name: str) -> Iterator[dict[UUID, Any]]:
    """Yield the values of a field by record, in the order of the keys and a batch at a time."""
    last: UUID | None = None
    while True:
        rows = model._base_manager.filter(custom_data__has_key=name).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        batch = {pk: data[name] for pk, data in rows.values_list("pk", "custom_data")[:BATCH]}
        if not batch:
            return
        last = max(batch)
        yield batch


def _move_values(definition: CustomField, old_name: str) -> None:
    """Rename the key on every record that holds it; each counts as a change of the record."""
    model = customizable_models()[definition.entity_type]
    old, new = (Cast(Value(name), TextField()) for name in (old_name, definition.name))
    without = Func(F("custom_data"), old, arg_joiner=" - ", template="(%(expressions)s)")
    value = Func(F("custom_data"), old, arg_joiner=" -> ", template="(%(expressions)s)")
    pair = Func(new, value, function="jsonb_build_object")
    moved = Func(without, pair, arg_joiner=" || ", template="(%(expressions)s)", output_field=JSONField())
    for batch in _batches(model, old_name):
        model._base_manager.filter(pk__in=list(batch)).update(custom_data=moved, version=F("version") + 1)


def _record_values(definition: CustomField) -> None:
    """Make the unique-values table say what the records hold, or nothing when they need not be unique."""
    UniqueCustomValue.objects.filter(field=definition).delete()
    if not definition.unique_values:
        return
    model = customizable_models()[definition.entity_type]
    duplicates: set[str] = set()
    for batch in _batches(model, definition.name):
        duplicates |= {str(shown(batch[pk])) for pk in record(definition, batch, among=batch)}
        if len(duplicates) >= NAMED_DUPLICATES:
            break
    if duplicates:
        named = sorted(duplicates)[:NAMED_DUPLICATES]
        raise DuplicateValuesError(field="unique_values", meta={"duplicates": named})
