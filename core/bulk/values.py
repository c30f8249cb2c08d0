"""The values of many rows: what is wrong with them, told without asking the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Field

from core import customfields
from core.bulk import conditions
from core.crud import UnreadableTextError
from core.customfields.types import is_storable
from core.errors import DomainError, InvalidError, ViolationsError
from core.models import CustomField, CustomFieldType, CustomizableModel
from core.visibility import Actor

ModelT = TypeVar("ModelT", bound=models.Model)


class _Rules(NamedTuple):
    """What a model demands of the values of a row."""

    fields: "dict[str, Field[Any, Any]]"
    required: "dict[str, Field[Any, Any]]"
    # What a row holds in columns of which nothing was said.
    defaults: dict[str, Any]


@cache
def _rules(model: type[models.Model]) -> _Rules:
    fields: dict[str, Field[Any, Any]] = {}
    required: dict[str, Field[Any, Any]] = {}
    defaults: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.generated or field.primary_key:
            continue
        fields[field.name] = fields[field.attname] = field
        has_value = field.has_default() or field.db_default is not models.NOT_PROVIDED
        if not (has_value or field.null or field.blank):
            required[field.name] = field
        elif field.has_default() and not callable(field.default):
            defaults[field.attname] = field.default
        elif not field.has_default() and field.null and field.db_default is models.NOT_PROVIDED:
            defaults[field.attname] = None
    return _Rules(fields, required, defaults)


def faults(
    model: type[models.Model],
    values: Mapping[str, Any],
    *,
    partial: bool = False,
    ignoring: Collection[str] = (),
    row: models.Model | None = None,
) -> list[DomainError]:
    """Return what is wrong with the values of a row, as far as can be told without the database.

    Keys are names of fields, foreign keys also by `<name>_id`. With `partial` the values change a
    row that exists, which may be given; otherwise what is required must be there, `ignoring` what is
    filled in later. Check constraints are evaluated where everything they compare is known; one about
    a field that is wrong by itself adds nothing.
    """
    rules, errors = _rules(model), list[DomainError]()
    for name, value in values.items():
        field = rules.fields.get(name)
        if field is not None:
            errors.extend(_value_faults(field, value))
    if not partial:
        for name, field in rules.required.items():
            if name not in values and field.attname not in values and name not in ignoring:
                errors.append(InvalidError("This field is required.", field=name, code="required"))
    return [*errors, *_broken_checks(model, values, errors, partial=partial, row=row)]


def _broken_checks(
    model: type[models.Model],
    values: Mapping[str, Any],
    errors: Iterable[DomainError],
    *,
    partial: bool,
    row: models.Model | None,
) -> Iterable[DomainError]:
    if not conditions.rules_of(model):
        return
    rules = _rules(model)
    given = {rules.fields[name].attname: value for name, value in values.items() if name in rules.fields}
    wrong = {rules.fields[error.field].attname for error in errors if error.field in rules.fields}
    known = _held(row) if row is not None else ({} if partial else rules.defaults)
    for rule, error in conditions.broken(model, {**known, **given}):
        if wrong.isdisjoint(rule.columns) and not given.keys().isdisjoint(rule.columns):
            if len(rule.columns) == 1:
                error.field = next(field.name for name, field in rules.fields.items() if name in rule.columns)
            yield error


def _held(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.generated}


def _value_faults(field: "Field[Any, Any]", value: Any) -> Iterable[DomainError]:
    if field.is_relation:
        if value is None and not field.null:
            yield InvalidError("This field may not be null.", field=field.name, code="null")
        return
    if isinstance(value, str) and not is_storable(value):
        yield UnreadableTextError(field=field.name)
        return
    if value in field.empty_values and field.blank:
        return
    try:
        field.clean(value, None)
    except ValidationError as invalid:
        for single in invalid.error_list:
            yield InvalidError("; ".join(map(str, single.messages)), field=field.name, code=single.code or "invalid")


def built(
    model: type[ModelT], values: Mapping[str, Any], custom: "CustomValues | None", *, ignoring: Collection[str] = ()
) -> ModelT | DomainError:
    """Return a row of `model` that obeys the rules, not yet written, or what is wrong with it."""
    own = {name: value for name, value in values.items() if name != "custom_fields"}
    errors = faults(model, own, ignoring=ignoring)
    row = model(**own)
    if custom is not None and isinstance(row, CustomizableModel):
        try:
            row.custom_data = custom.written(values.get("custom_fields") or {}, row, partial=False)
        except DomainError as error:
            errors.extend(error.violations)
    return one_error(errors) or row


def with_related(
    changes: Sequence[tuple[ModelT, Mapping[str, Any]]], **related: type[models.Model]
) -> list[tuple[ModelT, dict[str, Any]]]:
    """Return changes with the rows that `<name>_id` refers to, for services that take rows instead of ids."""
    found: dict[str, Mapping[Any, models.Model]] = {}
    for name, model in related.items():
        ids = {values[f"{name}_id"] for _, values in changes if values.get(f"{name}_id") is not None}
        found[name] = model._default_manager.in_bulk(list(ids)) if ids else {}
    given: list[tuple[ModelT, dict[str, Any]]] = []
    for row, values in changes:
        taken = dict(values)
        for name, rows in found.items():
            if f"{name}_id" in taken:
                taken[name] = rows.get(taken.pop(f"{name}_id"))
        given.append((row, taken))
    return given


def set_values(
    row: models.Model, values: Mapping[str, Any], custom: "CustomValues | None"
) -> tuple[DomainError | None, set[str]]:
    """Give a row new values; return what is wrong with them, and the names of the fields that changed."""
    own = {name: value for name, value in values.items() if name != "custom_fields"}
    errors = faults(type(row), own, partial=True)
    fields = _rules(type(row)).fields
    names = {fields[name].name for name, value in own.items() if getattr(row, name) != value}
    for name, value in own.items():
        setattr(row, name, value)
    if custom is not None and isinstance(row, CustomizableModel) and values.get("custom_fields"):
        try:
            data = custom.written(values["custom_fields"], row, partial=True)
        except DomainError as error:
            errors.extend(error.violations)
        else:
            if data != row.custom_data:
                row.custom_data = data
                names.add("custom_data")
    return one_error(errors), names


def one_error(errors: Sequence[DomainError]) -> DomainError | None:
    """Return one error that stands for all of them, or None."""
    if len(errors) > 1:
        return ViolationsError(errors)
    return errors[0] if errors else None


class CustomValues:
    """The custom values of many rows of one model, against definitions that are read once."""

    def __init__(self, model: type[CustomizableModel], *, by: Actor | None) -> None:
        customfields.hold(model)
        self._model = model
        self._by = by
        self._definitions: Sequence[CustomField] = customfields.definitions_of(model)

    def written(self, given: Mapping[str, Any], instance: CustomizableModel, *, partial: bool) -> dict[str, Any]:
        """Return the `custom_data` of a row after `given` were written; raise what is wrong with them."""
        if not self._definitions and not given:
            return {}
        return customfields.validated(
            self._model,
            given,
            existing=instance.custom_data,
            instance_id=instance.pk,
            partial=partial,
            definitions=self._definitions,
            by=self._by,
        )

    def hold_unique(self, instances: Iterable[CustomizableModel]) -> None:
        """Record the unique values that rows hold, and their files; raise `custom_value_taken` for a repeated one."""
        if any(each.unique_values or each.field_type == CustomFieldType.FILE for each in self._definitions):
            held = {instance.pk: instance.custom_data for instance in instances}
            customfields.apply_unique_many(self._model, held, self._definitions)
