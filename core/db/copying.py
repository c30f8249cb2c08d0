"""Rows into a table by COPY: the quickest way in, past no constraint and no trigger."""

from collections.abc import Iterable, Sequence
from typing import Any

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
    copy_values(model, columns, ([_prepared(field, row, database) for field in fields] for row in rows))
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


def _prepared(field: Any, row: models.Model, database: Any) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=True), database)
