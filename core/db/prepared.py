"""Statements that a server plans once for each connection, and then runs by name.

To plan the statement that renders a page takes the server about as long as to run it. Django's cursors put the
parameters into the text, so that no two statements are the same; the driver's own send them beside it, and after some
executions on a connection let the server keep the plan (`prepare_threshold`). Where a pooler gives each transaction
another connection, nothing is kept, and the statement is planned each time.

What a parameter is, the server has to see from where it stands: compared with a column, or cast.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from django.db import NotSupportedError, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg import ClientCursor
from psycopg.errors import FeatureNotSupported


@contextmanager
def prepared(sql: str, parameters: Any, *, using: str) -> Generator[Any]:
    """Execute one statement, planned before if it was executed often, and lend the cursor with its rows."""
    with connections[using].cursor() as cursor:
        _bind_on_server(cursor)
        try:
            cursor.execute(sql, parameters)
        except NotSupportedError as error:
            # A column has changed its type since the statement was planned.
            if not isinstance(error.__cause__, FeatureNotSupported) or cursor.db.in_atomic_block:
                raise
            cursor.cursor.connection.execute("DEALLOCATE ALL")  # the driver forgets its names along with it
            cursor.execute(sql, parameters)
        yield cursor


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


def _bind_on_server(cursor: Any) -> None:
    made: Any = _Cursor
    cursor.cursor = made(cursor.cursor.connection)
