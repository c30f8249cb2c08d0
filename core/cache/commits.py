"""From a commit to the generations of what it changed.

Every statement that writes tells the database the name of its commit, which the triggers note beside the tags. As soon
as the transaction has committed, its writer asks which tags those are and raises their generations, before anybody is
told that it has committed. So whoever begins to read after a write was acknowledged finds nothing older than it.

A writer that cannot raise them waits until the keeper has, or until no reader trusts the generations any more, which is
a second at most; once Redis has been away for longer than that, nobody waits.
"""

import logging
import time
from uuid import uuid4

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import UndefinedTable
from redis.exceptions import RedisError

from core.cache.generations import end_moment, generations
from core.cache.raised import EVERYTHING, is_noting, line_of, note
from core.cache.tags import gathered
from core.db.positions import replica_aliases

logger = logging.getLogger(__name__)

# Longer than any lease lasts.
LONGEST_WAIT = 1.2
POLL_SECONDS = 0.02

_TOUCHED = """
    SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, array_agg(DISTINCT tag)
    FROM core_touch CROSS JOIN unnest(tags) AS tag WHERE commit = %s
"""
_IS_SETTLED = """
    SELECT (NOT %s AND NOT EXISTS (SELECT FROM core_touch WHERE commit = %s))
        OR NOT EXISTS (SELECT FROM core_lease WHERE until > clock_timestamp())
"""


class Raise:
    """Raises the generations of one commit, when it is called; a hook of the transaction."""

    def __init__(self) -> None:
        self.commit = str(uuid4())

    def __call__(self) -> None:
        committed = time.monotonic()
        try:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                cursor.execute(_TOUCHED, [self.commit])
                position, tags = cursor.fetchone()
            if tags:
                note(line_of(self.commit, gathered(tags)))
                generations().raise_to(position, tags, commit=self.commit)
                return
            # It has moved nothing, or the keeper was first, and whoever stands before us may not have heard of it yet.
            if is_noting() and (line := generations().raised(self.commit)) is not None:
                note(line)
            if replica_aliases():
                generations().raise_to(position, [])
        except (RedisError, OSError, DatabaseError, InterfaceError) as error:
            if isinstance(error.__cause__, UndefinedTable):
                return  # a database that is yet to be migrated notes nothing
            logger.warning("generations.not_raised", extra={"reason": str(error) or type(error).__name__})
            note(EVERYTHING)
            self._wait_until(committed + LONGEST_WAIT)
        finally:
            end_moment()

    def _wait_until(self, instant: float) -> None:
        while time.monotonic() < instant and not self._is_settled():
            time.sleep(POLL_SECONDS)

    def _is_settled(self) -> bool:
        """Say whether somebody else has raised them, or nobody trusts generations; no, where the database is away."""
        try:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                # That the tags were raised says nothing of the position to which replicas are held.
                cursor.execute(_IS_SETTLED, [bool(replica_aliases()), self.commit])
                return bool(cursor.fetchone()[0])
        except (DatabaseError, InterfaceError):
            return False


def followed(connection: BaseDatabaseWrapper) -> Raise | None:
    """Return what raises the generations of the connection's present transaction, once it has committed.

    Outside of one, the caller calls it after the statement. None for a connection whose writes nobody follows.
    """
    if connection.alias != DEFAULT_DB_ALIAS:
        return None
    if not connection.in_atomic_block:
        return Raise()
    # A savepoint that is rolled back takes the hooks along that were registered in it.
    for registered in reversed(connection.run_on_commit):
        if isinstance(registered[1], Raise):
            return registered[1]
    hook = Raise()
    connection.on_commit(hook)
    return hook
