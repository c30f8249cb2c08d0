"""Rows into a table by COPY: the quickest way in, past no constraint and no trigger."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, connections, models, transaction
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

from core.cache.commits import followed
from core.provenance import settings_sql


def copy_in(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model as `bulk_create` would, in the caller's transaction.

    A column whose default is the database's is filled by it when no row has a value for it; rows
    do not learn what that was. Violations raise the same errors as any other insert.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = [
        field
        for field in model._meta.concrete_fields
        if not field.generated and not isinstance(getattr(rows[0], field.attname), DatabaseDefault)
    ]
    columns = [str(field.column) for field in fields]
    database = connections[connection.alias]  # the proxy would look it up for every value
    prepare = [_preparation(field, database) for field in fields]
    copy_values(model, columns, ([prepared(row) for prepared in prepare] for row in rows))
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


def copy_values(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that are already values of columns; the database fills the others in."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with transaction.atomic(savepoint=False), connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.execute(settings_sql(followed(connections[connection.alias])))
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _preparation(field: Any, database: Any) -> Callable[[models.Model], Any]:
    """Return what makes of a row the value that the driver is given for a field."""
    pre_save, prepare, name = field.pre_save, field.get_db_prep_save, field.attname
    kind = type(field.target_field if isinstance(field, models.ForeignKey) else field)
    as_it_is = _KEPT_AS_IT_IS.get(tuple(getattr(kind, step) for step in _STEPS))

    def slowly(row: models.Model) -> Any:
        return prepare(pre_save(row, add=True), database)

    def quickly(row: models.Model) -> Any:
        value = getattr(row, name)
        return value if value is None or type(value) is as_it_is else slowly(row)

    return quickly if as_it_is and type(field).pre_save is models.Field.pre_save else slowly


_STEPS = ("get_db_prep_save", "get_db_prep_value", "get_prep_value", "to_python")
# What these fields, and those of their kinds that take the same steps, make of a value of that type is the value.
_KEPT_AS_IT_IS: Mapping[tuple[Any, ...], type] = {
    tuple(getattr(kind, step) for step in _STEPS): value
    for kind, value in {
        models.BooleanField: bool,
        models.CharField: str,
        models.TextField: str,
        models.UUIDField: UUID,
    }.items()
}
