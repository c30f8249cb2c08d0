"""Writing many rows together, and singly those of a batch that the database refuses."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from django.db.models import F

from core import customfields
from core.bulk.values import CustomValues, built, set_values
from core.db import lookups  # noqa: F401 - `among`
from core.db.constraints import refusing
from core.db.copying import copy_in
from core.errors import DomainError
from core.models import CustomizableModel, VersionedModel
from core.visibility import Actor

BATCH = 1_000

ModelT = TypeVar("ModelT", bound=models.Model)
Group = Sequence[models.Model]


def create(model: type[ModelT], rows: Sequence[Mapping[str, Any]], *, by: Actor | None) -> list[ModelT | DomainError]:
    """Insert rows of one model; return for each the row, or why it was refused."""
    custom = CustomValues(model, by=by) if issubclass(model, CustomizableModel) else None
    made = [built(model, values, custom) for values in rows]
    sound = [row for row in made if not isinstance(row, DomainError)]
    refused = dict(zip((row.pk for row in sound), insert([[row] for row in sound], custom), strict=True))
    return [row if isinstance(row, DomainError) else refused[row.pk] or row for row in made]


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
