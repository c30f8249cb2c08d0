"""Many rows at once, by the rules that single rows obey.

The bulk services of the apps are made of these functions. Rows are checked one by one, written
together, and refused one by one: when the database refuses a batch, its rows are tried singly, so
that one bad row costs nobody else their place.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Field

from core import customfields
from core.crud import UnreadableTextError
from core.customfields.types import is_storable
from core.db import lookups  # noqa: F401 - `among`
from core.db.constraints import refusing
from core.db.copying import copy_in
from core.errors import DomainError, InvalidError, ViolationsError
from core.models import CustomField, CustomizableModel, VersionedModel
from core.visibility import Actor

BATCH = 1_000

ModelT = TypeVar("ModelT", bound=models.Model)
Group = Sequence[models.Model]


class _Rules(NamedTuple):
    """What a model demands of the values of a row."""

    fields: "dict[str, Field[Any, Any]]"
    required: "dict[str, Field[Any, Any]]"


@cache
def _rules(model: type[models.Model]) -> _Rules:
    fields: dict[str, Field[Any, Any]] = {}
    required: dict[str, Field[Any, Any]] = {}
    for field in model._meta.concrete_fields:
        if field.generated or field.primary_key:
            continue
        fields[field.name] = fields[field.attname] = field
        has_value = field.has_default() or field.db_default is not models.NOT_PROVIDED
        if not (has_value or field.null or field.blank):
            required[field.name] = field
    return _Rules(fields, required)


def faults(
    model: type[models.Model], values: Mapping[str, Any], *, partial: bool = False, ignoring: Collection[str] = ()
) -> list[DomainError]:
    """Return what is wrong with the values of a row, as far as can be told without the database.

    Keys are names of fields, foreign keys also by `<name>_id`. With `partial` the values change a
    row that exists; otherwise what is required must be there, `ignoring` what is filled in later.
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
    return errors


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


def create(model: type[ModelT], rows: Sequence[Mapping[str, Any]], *, by: Actor | None) -> list[ModelT | DomainError]:
    """Insert rows of one model; return for each the row, or why it was refused."""
    custom = CustomValues(model, by=by) if issubclass(model, CustomizableModel) else None
    made = [built(model, values, custom) for values in rows]
    sound = [row for row in made if not isinstance(row, DomainError)]
    refused = dict(zip((row.pk for row in sound), insert([[row] for row in sound], custom), strict=True))
    return [row if isinstance(row, DomainError) else refused[row.pk] or row for row in made]


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


def change(changes: Sequence[tuple[ModelT, Mapping[str, Any]]], *, by: Actor | None) -> list[DomainError | None]:
    """Write new values into locked rows of one model; return for each why it was refused, or None."""
    if not changes:
        return []
    model = type(changes[0][0])
    custom = CustomValues(model, by=by) if issubclass(model, CustomizableModel) else None
    found: list[DomainError | None] = []
    written: list[tuple[models.Model, Collection[str]]] = []
    for row, values in changes:
        error, names = set_values(row, values, custom)
        found.append(error)
        if error is None and names:
            written.append((row, names))
    refused = {row.pk: error for (row, _), error in zip(written, update(written, custom), strict=True)}
    return [error or refused.get(row.pk) for (row, _), error in zip(changes, found, strict=True)]


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
        """Record the unique values that rows hold; raise `custom_value_taken` when another row holds one."""
        if any(definition.unique_values for definition in self._definitions):
            held = {instance.pk: instance.custom_data for instance in instances}
            customfields.apply_unique_many(self._model, held, self._definitions)


@transaction.atomic
def insert(groups: Sequence[Group], custom: CustomValues | None = None) -> list[DomainError | None]:
    """Insert groups of rows that belong together; return for each why it was refused, or None.

    A group holds its rows in the order in which they refer to each other, the same for all groups.
    """
    if not groups:
        return []
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for group in groups:
        for row in group:
            by_model.setdefault(type(row), []).append(row)
    try:
        with transaction.atomic():
            for rows in by_model.values():
                copy_in(rows)
            _hold_unique(groups, custom)
            check_deferred()
    except (IntegrityError, DomainError):
        return [_insert_one(group, custom) for group in groups]
    return [None] * len(groups)


def _insert_one(group: Group, custom: CustomValues | None) -> DomainError | None:
    try:
        with refusing():
            for member in group:
                member.save(force_insert=True)
            _hold_unique([group], custom)
            check_deferred()
    except DomainError as refused:
        return refused
    return None


def attempt(act: Callable[[], object]) -> DomainError | None:
    """Do something in a savepoint of its own; return why it was refused, or None."""
    try:
        with refusing():
            act()
            check_deferred()
    except DomainError as refused:
        return refused
    return None


def check_deferred() -> None:
    """Check now what would be checked at commit, where a refusal would take everything along."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _hold_unique(groups: Iterable[Group], custom: CustomValues | None) -> None:
    if custom is not None:
        rows = (row for group in groups for row in group)
        custom.hold_unique(row for row in rows if isinstance(row, CustomizableModel))


@transaction.atomic
def update(
    changes: Sequence[tuple[models.Model, Collection[str]]], custom: CustomValues | None = None
) -> list[DomainError | None]:
    """Write the named fields of rows that are locked and already hold their new values.

    Each row's version is counted. Returns for each row why it was refused, or None.
    """
    by_fields: defaultdict[tuple[type[models.Model], frozenset[str]], list[int]] = defaultdict(list)
    for place, (instance, names) in enumerate(changes):
        by_fields[type(instance), frozenset(names)].append(place)
    refused: list[DomainError | None] = [None] * len(changes)
    for (model, names), places in by_fields.items():
        rows = [changes[place][0] for place in places]
        try:
            with transaction.atomic():
                _write(model, rows, names, custom)
                check_deferred()
            _count(rows)
        except (IntegrityError, DomainError):
            for place, row in zip(places, rows, strict=True):
                refused[place] = _write_one(model, row, names, custom)
    return refused


def _write(
    model: type[models.Model], rows: Sequence[models.Model], names: Collection[str], custom: CustomValues | None
) -> None:
    if names:
        model._base_manager.bulk_update(rows, list(names), batch_size=BATCH // 2)
    if "custom_data" in names:
        _hold_unique([[row] for row in rows], custom)
    counted = {"version": F("version") + 1} if issubclass(model, VersionedModel) else {}
    model._default_manager.filter(pk__among=[row.pk for row in rows]).update(**counted)


def _count(rows: Iterable[models.Model]) -> None:
    for row in rows:
        if isinstance(row, VersionedModel):
            row.version += 1


def _write_one(
    model: type[models.Model], row: models.Model, names: Collection[str], custom: CustomValues | None
) -> DomainError | None:
    try:
        with refusing():
            _write(model, [row], names, custom)
            check_deferred()
        _count([row])
    except DomainError as error:
        return error
    return None


@transaction.atomic
def delete(model: type[models.Model], ids: Collection[UUID]) -> None:
    """Delete rows; raise `InUseError` when anything still refers to one of them."""
    if issubclass(model, CustomizableModel):
        customfields.release_unique(model, ids)
    with refusing():
        model._base_manager.filter(pk__in=list(ids)).delete()
        check_deferred()
