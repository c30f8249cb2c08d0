"""A connection that gives a server up which says nothing: one that was stopped, or is behind a line that was cut.

Nobody who waits for such a server is told. What is asked about a replica is answered in milliseconds, so whoever asks
waits a second; a statement is given `STATEMENT_SECONDS`, and is put to the primary afterwards.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

QUESTION_SECONDS = 1.0
STATEMENT_SECONDS = 10.0


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed once its server has said nothing for `patience` seconds."""

    patience: float | None = QUESTION_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # what the server may say yet is nobody's answer
            raise


@contextmanager
def waiting(connection: Any, seconds: float | None) -> Generator[None]:
    """Give the server as long within the block; None is as long as it takes."""
    usual = getattr(connection, "patience", None)
    if connection is not None:
        connection.patience = seconds
    try:
        yield
    finally:
        if connection is not None:
            connection.patience = usual
