"""Listening for what other sessions announce on a PostgreSQL channel.

A session that listens cannot be borrowed from a pool, neither Django's nor PgBouncer's, so it is a
connection of its own, to `DATABASE_DIRECT_URL`.
"""

import logging
import select
import time
from types import TracebackType
from typing import Self

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 5.0


class Listener:
    """Waits for a notification on `channel`, or as long as it takes to look without one.

    Losing the connection costs nothing but promptness: `wait` then sleeps, and connects anew from
    time to time.
    """

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._session: psycopg.Connection | None = None
        self._retry_at = 0.0

    def __enter__(self) -> Self:
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def wait(self, seconds: float) -> bool:
        """Return True as soon as somebody notifies, False after `seconds` without."""
        if self._session is not None:
            return self._heard(self._session, seconds)
        if time.monotonic() >= self._retry_at and self._connect():
            return True  # what was announced in between went unheard
        time.sleep(seconds)
        return False

    def _heard(self, session: psycopg.Connection, seconds: float) -> bool:
        readable, _, _ = select.select([session.fileno()], [], [], seconds)
        try:
            return bool(readable) and len(list(session.notifies(timeout=0))) > 0
        except psycopg.Error as error:
            logger.warning("listener.lost", extra={"channel": self.channel, "error": type(error).__name__})
            self._drop()
            return False

    def _connect(self) -> bool:
        self._retry_at = time.monotonic() + RECONNECT_SECONDS
        try:
            session = psycopg.Connection.connect(direct_conninfo(), autocommit=True, connect_timeout=3)
            session.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self.channel)))
        except psycopg.Error as error:
            logger.warning("listener.unavailable", extra={"channel": self.channel, "error": type(error).__name__})
            return False
        self._session = session
        return True

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def direct_conninfo() -> str:
    """Return where to connect past every pooler: `DATABASE_DIRECT_URL`, else where Django connects."""
    if settings.DATABASE_DIRECT_URL:
        return make_conninfo(settings.DATABASE_DIRECT_URL)
    parameters = connection.get_connection_params()
    names = ("host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "application_name")
    return make_conninfo(**{name: parameters[name] for name in names if parameters.get(name)})
