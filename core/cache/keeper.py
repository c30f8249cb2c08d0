"""Keeps the generations trustworthy: raises what writers could not, and renews the lease of the readers."""

import logging
import threading

from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.utils import CursorWrapper
from redis.exceptions import RedisError

from core.cache.generations import Generations, UntrustworthyError
from core.cache.tags import unfollowed

logger = logging.getLogger(__name__)

LEASE_SECONDS = 1.0
TICK_SECONDS = 0.25
BATCH = 1000

_PROMISE = """
    INSERT INTO core_lease (id, until) VALUES (true, clock_timestamp() + %s * interval '1 second')
    ON CONFLICT (id) DO UPDATE SET until = greatest(core_lease.until, excluded.until)
    RETURNING left(pg_walfile_name(pg_current_wal_lsn()), 8), (pg_current_wal_insert_lsn() - '0/0')::bigint
"""
# Whole commits, since each is raised once; by two indexes, since many wait when no keeper has run for long.
_PENDING = """
    WITH due AS (SELECT id, commit FROM core_touch ORDER BY id LIMIT %s),
    whole AS (
        SELECT id, commit, tags FROM core_touch WHERE id IN (SELECT id FROM due WHERE commit IS NULL)
        UNION ALL
        SELECT id, commit, tags FROM core_touch WHERE commit IN (SELECT commit FROM due)
    )
    SELECT array_agg(DISTINCT id), coalesce(commit::text, ''), array_agg(DISTINCT tag),
        (pg_current_wal_insert_lsn() - '0/0')::bigint
    FROM whole CROSS JOIN unnest(tags) AS tag
    GROUP BY commit
"""
_FORGET = "DELETE FROM core_touch WHERE id = ANY(%s)"


class GenerationKeeper:
    """One keeper; any number of them may run at once."""

    def __init__(self, generations: Generations, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._generations = generations
        self._lease_seconds = lease_seconds
        self._stopping = threading.Event()
        # Nobody can tell what happened before: nothing that was remembered then is taken for the present.
        self._begins_afresh = True

    def tick(self) -> bool:
        """Raise everything that has committed by now, and renew the lease; say whether readers have one.

        The lease ends so long after the tick began; when that took longer there is none. So every commit that a reader
        with a lease may not know of is younger than the lease is long.
        """
        try:
            with connection.cursor() as cursor:
                return self._tick(cursor)
        except (RedisError, OSError, UntrustworthyError) as error:
            self._begins_afresh |= isinstance(error, UntrustworthyError)
            logger.warning("generations.no_lease", extra={"reason": str(error) or type(error).__name__})
            return False

    def _tick(self, cursor: CursorWrapper) -> bool:
        # Before the promise, which counts from later: no lease outlasts what writers wait for.
        lease = int(self._lease_seconds * 1000)
        until = self._generations.now() + lease
        if self._begins_afresh and (missing := unfollowed()):
            raise UntrustworthyError(f"writes to {', '.join(sorted(missing))} are not noted; run `manage.py migrate`")
        cursor.execute(_PROMISE, [self._lease_seconds])
        timeline, position = cursor.fetchone()
        epoch = self._generations.epoch_on(timeline, afresh=self._begins_afresh)
        self._begins_afresh = False
        self._generations.raise_to(position, [])  # whatever had committed, and moved no tag
        while self._settle(cursor):
            pass
        return self._generations.grant(epoch, until=until, longest=lease)

    def _settle(self, cursor: CursorWrapper) -> int:
        cursor.execute(_PENDING, [BATCH])
        pending = cursor.fetchall()
        for _, commit, tags, position in pending:
            self._generations.raise_to(position, tags, commit=commit)
        if pending:
            cursor.execute(_FORGET, [[touch for touches, *_ in pending for touch in touches]])
        return len(pending)

    def run(self) -> None:
        """Tick until `stop`; whatever goes wrong costs the readers their lease, and is tried again."""
        try:
            while not self._stopping.wait(TICK_SECONDS):
                try:
                    self.tick()
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("generations.database_lost", extra={"reason": type(error).__name__})
                    connection.close()
                except Exception:
                    logger.exception("generations.tick_failed")
        finally:
            connection.close()

    def stop(self) -> None:
        """Let the tick at hand be the last."""
        self._stopping.set()
