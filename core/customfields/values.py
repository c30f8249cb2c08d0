"""The one place where custom values are validated, and where they are shown."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from core.customfields.errors import (
    ArchivedCustomFieldError,
    CustomValueTakenError,
    RequiredError,
    UnknownCustomFieldError,
    WrongTypeError,
)
from core.customfields.locks import hold
from core.customfields.rules import check
from core.customfields.selectors import active, definitions_of
from core.customfields.types import parsed
from core.customfields.unique import taken
from core.errors import DomainError, InvalidError, raise_all
from core.models import CustomField
from core.models.custom_field import is_name
from core.visibility import Actor


def validated(
    model: type[Model],
    values: Mapping[str, Any],
    *,
    existing: Mapping[str, Any],
    instance_id: UUID | None,
    partial: bool,
    definitions: Sequence[CustomField] | None = None,
    by: Actor | None = None,
) -> dict[str, Any]:
    """Return the `custom_data` that a record has after `values` were written to it.

    A name that `values` lacks keeps what `existing` holds; null, "" and [] empty a field. With
    `partial` false the record is being created: defaults apply and everything required must be
    there. A value equal to the stored one is accepted even where the rules have become stricter.
    A caller that passes `definitions` must `hold` the model itself before it reads them.

    Raises one `InvalidError` or `CustomValueTakenError`, or a `ViolationsError` of all of them,
    with fields `custom_fields.<name>`.
    """
    if not isinstance(values, Mapping):
        raise WrongTypeError("An object of values by name is expected.", field="custom_fields")
    if definitions is None:
        hold(model)
        definitions = definitions_of(model)
    errors = _strangers(values, definitions)
    result, changed = dict(existing), dict[str, Any]()
    for definition in active(definitions):
        name = definition.name
        if partial and name not in values:
            continue
        try:
            value = _value(definition, values, existing, by)
        except InvalidError as error:
            errors.append(error.under(path(name)))
            continue
        if value is None:
            result.pop(name, None)
        elif result.get(name) != value:
            result[name] = changed[name] = value
    errors += [CustomValueTakenError(field=path(name)) for name in taken(model, changed, definitions, instance_id)]
    raise_all(errors)
    return result


def defaults_of(definitions: Iterable[CustomField]) -> dict[str, Any]:
    """Return what a record holds that nobody filled in; what is required and has no default waits for somebody."""
    values = {each.name: parsed(each, each.default_value) for each in active(definitions)}
    return {name: value for name, value in values.items() if value is not None}


def _value(definition: CustomField, given: Mapping[str, Any], existing: Mapping[str, Any], by: Actor | None) -> Any:
    """Return the canonical value to store for one active definition, None for none."""
    stored = existing.get(definition.name)
    if definition.name in given:
        value = parsed(definition, given[definition.name])
    else:
        value = parsed(definition, definition.default_value) if stored is None else stored
    if value is None and definition.required:
        raise RequiredError
    if value is not None and value != stored:
        check(definition, value, by)
    return value


def _strangers(values: Iterable[Any], definitions: Iterable[CustomField]) -> list[DomainError]:
    """Return a refusal for each name that takes no value."""
    known = {definition.name: definition.is_active for definition in definitions}
    return [_stranger(name, name in known) for name in values if not known.get(name)]


def _stranger(name: Any, is_archived: bool) -> DomainError:
    if is_archived:
        return ArchivedCustomFieldError(field=path(name))
    # A name that is no slug is not repeated: it may be anything.
    if isinstance(name, str) and is_name(name):
        return UnknownCustomFieldError(f"There is no custom field '{name}'.", field=path(name))
    return UnknownCustomFieldError(field="custom_fields")


def path(name: str) -> str:
    """Return the dotted path of a field's value in a request."""
    return f"custom_fields.{name}"


def shown(value: Any) -> Any:
    """Return a stored value as the API shows it: numbers as strings, like every decimal."""
    return format(value, "f") if isinstance(value, Decimal) else value


def represent(
    model: type[Model],
    custom_data: Mapping[str, Any],
    definitions: Iterable[CustomField] | None = None,
    *,
    with_protected: bool = False,
) -> dict[str, Any]:
    """Return the values as the API shows them: every active field of `model`, null where there is none.

    Protected ones are null, too, unless they are asked for.
    """
    known = definitions_of(model) if definitions is None else list(definitions)
    return {
        definition.name: shown(custom_data.get(definition.name)) if with_protected or not definition.protected else None
        for definition in active(known)
    }
