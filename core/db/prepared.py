"""Statements that a server plans once for each connection, and then runs by name.

To plan the statement that renders a page takes the server about as long as to run it. Django's cursors put the
parameters into the text, so that no two statements are the same; the driver's own send them beside it, and after some
executions on a connection let the server keep the plan (`prepare_threshold`). Where a pooler gives each transaction
another connection, nothing is kept, and the statement is planned each time.

What a parameter is, the server has to see from where it stands: compared with a column, or cast.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from django.db import NotSupportedError, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Model, QuerySet
from psycopg import ClientCursor
from psycopg.errors import FeatureNotSupported

ModelT = TypeVar("ModelT", bound=Model)


@contextmanager
def prepared(sql: str, parameters: Any, *, using: str) -> Generator[Any]:
    """Execute one statement, planned before if it was executed often, and lend the cursor with its rows."""
    with connections[using].cursor() as cursor:
        bound: Any = _Cursor
        if not isinstance(cursor.cursor, bound):
            cursor.cursor = bound(cursor.cursor.connection)
        _planned_anew(cursor.db, lambda: cursor.execute(sql, parameters))
        yield cursor


def rows_of(queryset: QuerySet[ModelT]) -> list[ModelT]:
    """Return the rows of a queryset, whose statement is planned before if it was executed often.

    What it compares is compared with columns; a value that it computes with is not told its type by Django.
    """
    rows = queryset.using(queryset.db)
    connection: Any = connections[rows.db]
    with _bound_on_server(connection):
        return cast(list[ModelT], _planned_anew(connection, lambda: list(rows.all())))


def _planned_anew(connection: Any, ask: Callable[[], Any]) -> Any:
    """Ask, and once more if a column has changed its type since the statement was planned."""
    try:
        return ask()
    except NotSupportedError as error:
        if not isinstance(error.__cause__, FeatureNotSupported) or connection.in_atomic_block:
            raise
        connection.connection.execute("DEALLOCATE ALL")  # the driver forgets its names along with it
        return ask()


@contextmanager
def _bound_on_server(connection: Any) -> Generator[None]:
    """Let the cursors of a connection send their parameters beside the text."""
    connection.ensure_connection()
    driver = connection.connection
    usual = driver.cursor_factory
    driver.cursor_factory = _Cursor
    try:
        yield
    finally:
        driver.cursor_factory = usual


class _Told:
    """A statement with its parameters in place, put together for whoever logs statements and nobody else."""

    def __init__(self, *statement: Any) -> None:
        self._statement = statement

    @property
    def query(self) -> bytes:
        connection, sql, parameters = self._statement
        return ClientCursor(connection).mogrify(sql, parameters).encode()


class _Cursor(ServerBindingCursor):
    # The stubs leave out what Django's cursor derives from.
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        try:
            return super().execute(query, params, **options)  # type: ignore[misc]  # of the class left out
        finally:
            self._query: Any = _Told(self.connection, query, params)  # type: ignore[attr-defined]  # likewise
