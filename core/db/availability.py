"""Telling a database that cannot answer now from one that was asked something wrong.

A server, or PgBouncer before it, that has ended takes every connection of this process with it, also those that lie in
the pool and have not been asked yet. The pool would find that out one by one, with a pause after each, and be minutes
behind; so the first error of that kind throws them all away.
"""

import psycopg
from django.db import InterfaceError, InternalError, OperationalError, connection

# Whether Django has translated the driver's errors depends on where they come from: those of COPY and of statements
# that accompany others are the driver's own.
DATABASE_ERRORS = (
    OperationalError,
    InterfaceError,
    InternalError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
)
# The server ended a transaction that took or idled too long, or is a standby that does not write; or it said nothing
# that the driver could read, as when the end of a session arrives behind the answer to its COMMIT.
PASSING = {"25P03", "25P04", "25006", None}
# Connections, and what an operator does to them.
LOST = ("08", "57P")


def is_passing(error: BaseException) -> bool:
    """Say whether the statement that failed with one of `DATABASE_ERRORS` may succeed in a moment."""
    if isinstance(error, InternalError | psycopg.InternalError):
        return _sqlstate(error) in PASSING
    return True


def forget_lost_connections(error: BaseException) -> None:
    """Replace what lies idle in this process's pool if the error says that connections are lost.

    Of a pool that has none because all of them are at work, nothing is thrown away.
    """
    sqlstate = _sqlstate(error)
    if sqlstate is not None and not sqlstate.startswith(LOST):
        return
    pool = getattr(connection, "pool", None)
    if pool is not None and not pool.closed and pool.get_stats().get("pool_available", 0):
        pool.drain()


def _sqlstate(error: BaseException) -> str | None:
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return getattr(cause, "sqlstate", None)
