"""Sight of a row that is to be: whether somebody could manage it, asked when it cannot be made.

Whoever may not write a row is refused as out of scope, after it was written and before anybody sees it. Where it
clashes with one that is there, it cannot be written, and to say so would tell of a row that the caller may not see.
So those who could not manage it are told that alone.

Where rules open everything to an actor, or nothing, that is decided. Where they open some rows, an app says in its
`visibility.py` what the input of a creation would make. Without that, or where everybody sees all rows and a clash
tells nothing, the clash is told.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connections, models, router
from django.db.models import Model

from core.errors import ConflictError, DomainError, OutOfScopeError, raise_all
from core.visibility import visible

# What is made of the input of a creation: the row, and those beside it by which it comes into somebody's scope.
Foresight = Callable[[Mapping[str, Any]], Sequence[Model]]
ForesightT = TypeVar("ForesightT", bound=Foresight)

_foresights: dict[type[Model], Foresight] = {}
# Kinds of columns that rules ask about; others are left empty.
_PLAIN = (models.CharField, models.UUIDField, models.DateField, models.BooleanField, models.IntegerField)


def foresees(model: type[Model]) -> Callable[[ForesightT], ForesightT]:
    """Register what tells of which rows a creation of `model` would be made; the first is the row itself."""

    def register(foresight: ForesightT) -> ForesightT:
        _foresights[model] = foresight
        return foresight

    return register


def foresees_rows_of(model: type[Model]) -> bool:
    """Say whether it is known what a creation would make, for tests."""
    return model in _foresights


def refuse_foreign(refused: DomainError, model: type[Model], values: Mapping[str, Any], *, by: Any) -> None:
    """Refuse as a creation would be that clashes with nothing, if `by` could not manage what it makes.

    `refused` is what the service said of `values`, in a savepoint that is over. Return for whom it is to be told.
    """
    others = [error for error in refused.violations if not isinstance(error, ConflictError)]
    if len(others) == len(refused.violations) or could_manage(by, model, values) is not False:
        return
    raise_all(others)
    raise OutOfScopeError


def could_manage(actor: Any, model: type[Model], values: Mapping[str, Any]) -> bool | None:
    """Say whether `actor` could manage the row that `values` would make; None where nobody needs or is able to know."""
    using = router.db_for_write(model)
    rows = visible(model._base_manager.using(using), actor, to="manage")
    if rows.query.is_empty():
        return False
    if not rows.query.where:
        return True
    seen = visible(model._base_manager.using(using), actor).query
    if model not in _foresights or not (seen.where or seen.is_empty()):
        return None
    row, *along = _foresights[model](values)
    sql, parameters = rows.filter(pk=row.pk).values("pk").query.get_compiler(using).as_sql()
    with connections[using].cursor() as cursor:
        beside = [_beside(each, cursor) for each in (row, *along)]
        added = ", ".join(clause for clause, _ in beside)
        cursor.execute(f"WITH {added} {sql}", [value for _, given in beside for value in given] + list(parameters))
        return cursor.fetchone() is not None


def _beside(row: Model, cursor: Any) -> tuple[str, list[Any]]:
    """Return what lets a statement find `row` in its table, beside those that are there.

    A common table expression hides the table of its name, but for itself.
    """
    connection = cursor.db
    fields = row._meta.concrete_fields
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    casts = ", ".join(f"%s::{field.rel_db_type(connection)}" for field in fields)
    table = connection.ops.quote_name(row._meta.db_table)
    both = f"SELECT {columns} FROM {table} UNION ALL SELECT {casts}"  # noqa: S608 # nosec B608 - made of constants
    return f"{table} AS NOT MATERIALIZED ({both})", [_stored(row, field, connection) for field in fields]


def _stored(row: Model, field: Any, connection: Any) -> Any:
    value = getattr(row, field.attname, None) if field.is_relation or isinstance(field, _PLAIN) else None
    is_computed = field.generated or hasattr(value, "resolve_expression")
    return None if is_computed else field.get_db_prep_save(value, connection)
