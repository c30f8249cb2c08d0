"""A connection to a replica whose reads fall back on the primary.

Whether a replica may be read from is decided when a queryset asks the router, and the query comes later: meanwhile a
row may have been written, or the connection lost and made again to a server that has started anew. So it is verified
once more when a cursor is taken, and a query that the replica fails is put to the primary, once. Its rows come whole
with the answer (there are no server-side cursors here), so nobody has seen a part of them. A replica that does not
answer at all is given up (`core.db.replicas.patience`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connections
from django.db.backends.postgresql import base
from psycopg.errors import QueryCanceled

from core.cache.generations import Position
from core.db.positions import ANALYTICS, current_reads, replica, stay_on_primary
from core.db.replicas import patience

# The timeline of the last restart point is never ahead of what was replayed: after a failover a replica that follows
# the new primary counts from its next one on, and one that cannot follow never does.
_REPLAYED = """
    SELECT timeline_id, CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint ELSE -1 END
    FROM pg_control_checkpoint()
"""
# The last commit that was replayed: the relay commits several times a second. A server that nothing was replayed on
# since it started cannot say; one that is no replica has everything.
_AS_OF = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE statement_timestamp() END"


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection of one thread to a replica."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.settings_dict["OPTIONS"]
        if pool := options.get("pool"):
            options["pool"] = {**pool, "connection_class": patience.ImpatientConnection}
        self.execute_wrappers.append(self._execute_or_ask_primary)

    def replayed(self) -> Position:
        """Ask the server how far it has come; nowhere, if it is no replica any more."""
        with self.wrap_database_errors:
            timeline, lsn = self.connection.execute(_REPLAYED).fetchone()
        return Position(timeline, lsn)

    def as_of(self) -> datetime | None:
        """Ask the server for an instant until which it has all that was committed, if it can say."""
        with self.wrap_database_errors:
            (instant,) = self.connection.execute(_AS_OF).fetchone()
        return instant  # type: ignore[no-any-return]  # a timestamp with time zone

    def _cursor(self, name: str | None = None) -> Any:
        try:
            cursor = super()._cursor(name)  # type: ignore[misc]  # the stubs leave it out
        except Error as error:
            self._give_up(error)
        else:
            reads = current_reads()
            if reads is None or reads.may_use(self.alias):
                return cursor
            cursor.close()
        primary: Any = connections[DEFAULT_DB_ALIAS]
        return primary._cursor(name)

    def _execute_or_ask_primary(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        seconds = None if self.alias == ANALYTICS else patience.STATEMENT_SECONDS
        try:
            with patience.waiting(self.connection, seconds):
                return execute(sql, params, many, context)
        except (InterfaceError, OperationalError) as error:
            if isinstance(error.__cause__, QueryCanceled):  # it took too long, as it would elsewhere
                raise
            self._give_up(error)
        substitute = connections[DEFAULT_DB_ALIAS].cursor()
        result = substitute.executemany(sql, params) if many else substitute.execute(sql, params)
        context["cursor"].cursor = substitute.cursor
        return result

    def _give_up(self, error: Exception) -> None:
        replica(self.alias).fail(error)
        stay_on_primary()
