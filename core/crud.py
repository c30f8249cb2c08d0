"""The three writes most services are made of, done right once.

`create`, `update` and `delete` validate fields and custom fields, translate violated constraints
into domain errors, count versions and lose no concurrent change. They are for services; views,
admin and imports call the services.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.db.models import F

from core import customfields
from core.customfields.types import is_storable
from core.db.constraints import refusing
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.models import CustomField, CustomizableModel, VersionedModel
from core.together import gather, is_together
from core.visibility import Actor

ModelT = TypeVar("ModelT", bound=models.Model)


class EditConflictError(ConflictError):
    """Somebody else changed the row after it was read."""

    code = "edit_conflict"
    title = "The row was changed by somebody else meanwhile."


class UnreadableTextError(InvalidError):
    """The text holds a character that PostgreSQL cannot store."""

    code = "invalid_text"
    title = "The text contains a NUL character or an unpaired surrogate."


@dataclass(frozen=True)
class Crud(Generic[ModelT]):
    """The services that create, change and delete one kind of row.

    `create(*, by, **values)`, `update(instance, *, by, **changes)` and `delete(instance, *, by)`;
    an operation that the resource does not offer is None. `delete_all(*, ids)`, where there is one, does what
    `delete` does to many locked rows together, and is refused for all of them if it would be for one.
    """

    create: Callable[..., ModelT] | None = None
    update: Callable[..., ModelT] | None = None
    delete: Callable[..., None] | None = None
    delete_all: Callable[..., None] | None = None


@refusing()
def create(model: type[ModelT], values: Mapping[str, Any], *, by: Actor | None = None) -> ModelT:
    """Insert a row of `model`; raise the domain errors of whatever rule it breaks."""
    fields = dict(values)
    given = fields.pop("custom_fields", None)
    instance = model(**fields)
    errors = _field_errors(instance, [field.name for field in model._meta.concrete_fields])
    definitions: Sequence[CustomField] = ()
    if isinstance(instance, CustomizableModel):
        try:
            customfields.hold(model)
            definitions = customfields.definitions_of(model)
            instance.custom_data = customfields.validated(
                model, given or {}, existing={}, instance_id=instance.pk, partial=False, definitions=definitions, by=by
            )
        except DomainError as error:
            errors.extend(error.violations)
    raise_all(errors)
    instance.save(force_insert=True)
    if isinstance(instance, CustomizableModel):
        customfields.apply_unique(instance, definitions)
    return instance


@refusing()
def update(instance: ModelT, changes: Mapping[str, Any], *, by: Actor | None = None) -> ModelT:
    """Write `changes` to the row as it was read; the same values again change nothing.

    Raises `EditConflictError` when the row was changed since `instance` was read.
    """
    fields = dict(changes)
    given = fields.pop("custom_fields", None)
    changed = {name: value for name, value in fields.items() if getattr(instance, name) != value}
    for name, value in changed.items():
        setattr(instance, name, value)
    errors = _field_errors(instance, changed)
    if given is not None and isinstance(instance, CustomizableModel):
        try:
            custom = customfields.validated(
                type(instance), given, existing=instance.custom_data, instance_id=instance.pk, partial=True, by=by
            )
        except DomainError as error:
            errors.extend(error.violations)
        else:
            if custom != instance.custom_data:
                changed["custom_data"] = instance.custom_data = custom
    raise_all(errors)
    if not changed:
        return instance
    _write(instance, changed)
    if "custom_data" in changed and isinstance(instance, CustomizableModel):
        customfields.apply_unique(instance)
    return instance


@refusing()
def delete(instance: models.Model) -> None:
    """Delete the row; raise `InUseError` while others refer to it."""
    if isinstance(instance, CustomizableModel):
        customfields.release_unique(type(instance), [instance.pk])
    instance.delete()


@transaction.atomic
def touch(instance: VersionedModel) -> None:
    """Count a change of what the row shows that lies in none of its own columns.

    Raises `EditConflictError` when the row was changed since `instance` was read.
    """
    if is_together():
        gather(_touch_all, instance)
    else:
        _write(instance, {})


def _touch_all(instances: Sequence[VersionedModel]) -> None:
    """Do what `touch` does to many rows, each of which is counted once."""
    by_model: dict[type[VersionedModel], dict[Any, VersionedModel]] = {}
    for instance in instances:
        by_model.setdefault(type(instance), {})[instance.pk] = instance
    for model, touched in by_model.items():
        rows = model._default_manager.filter(pk__in=list(touched))
        if dict(rows.values_list("pk", "version")) != {pk: instance.version for pk, instance in touched.items()}:
            raise EditConflictError
        rows.update(version=F("version") + 1)
        for instance in touched.values():
            instance.version += 1


def _write(instance: models.Model, changed: Mapping[str, Any]) -> None:
    # The named fields alone: a column that this change does not concern keeps what others wrote.
    # What a field makes of its value for the row at hand, such as a ciphertext, is what is written.
    fields: Any = type(instance)._meta
    values = {name: fields.get_field(name).pre_save(instance, add=False) for name in changed}
    rows = type(instance)._default_manager.filter(pk=instance.pk)
    if isinstance(instance, VersionedModel):
        rows = rows.filter(version=instance.version)
        instance.version += 1
        values["version"] = instance.version
    if not rows.update(**values):
        raise EditConflictError


def _field_errors(instance: models.Model, names: Iterable[str]) -> list[DomainError]:
    """Check lengths, choices, ranges and characters of the named fields without touching the database."""
    errors: list[DomainError] = []
    checked = set(names)
    for field in instance._meta.concrete_fields:
        if field.name not in checked or field.generated or field.is_relation or field.primary_key:
            checked.discard(field.name)
            continue
        value = getattr(instance, field.attname)
        if isinstance(value, str) and not is_storable(value):
            errors.append(UnreadableTextError(field=field.name))
            checked.discard(field.name)
    errors.extend(_missing_relations(instance, names))
    try:
        instance.clean_fields(exclude={field.name for field in instance._meta.fields} - checked)
    except ValidationError as invalid:
        errors.extend(from_validation_error(invalid))
    return errors


def _missing_relations(instance: models.Model, names: Iterable[str]) -> Iterable[DomainError]:
    """A required reference that is empty; whether its row exists is the foreign key's business."""
    wanted = set(names)
    for field in instance._meta.concrete_fields:
        if field.is_relation and field.name in wanted and not field.null and getattr(instance, field.attname) is None:
            yield InvalidError("This field may not be null.", field=field.name, code="null")


def from_validation_error(invalid: ValidationError) -> list[DomainError]:
    """Translate Django's validation errors, field by field."""
    if not hasattr(invalid, "error_dict"):
        return [InvalidError(message, code="invalid") for message in invalid.messages]
    return [
        InvalidError(
            "; ".join(map(str, single.messages)),
            field="" if name == NON_FIELD_ERRORS else name,
            code=single.code or "invalid",
        )
        for name, errors in invalid.error_dict.items()
        for single in errors
    ]
