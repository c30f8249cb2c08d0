"""Whether a replica may answer: only one that has replayed whatever was acknowledged before its reader began.

Every writer raises one position in Redis before anybody is told of its commit, and the keeper raises it for those who
could not; a lease says whether it may be trusted, as it does for the generations beside which it lies. A reader asks
for it once. A replica that has replayed as much has everything the reader may expect to see. Without an answer from
Redis, or from the replica, the primary is read.

How far a replica has come is remembered with the connection on which it said so. Positions only grow as long as its
server runs; one that starts again after a crash begins further back, and no connection survives that.
"""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache, partial
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from core.cache.generations import Position, expect, generations
from core.metrics import left_alone

logger = logging.getLogger(__name__)

ENGINE = "core.db.replicas"
# The replica that core.db.analytics reads from: no position is asked of it.
ANALYTICS = "analytics"
# How long a replica is left alone that has failed, or has stayed behind for longer than is allowed.
PAUSE_SECONDS = 1.0


class Replica:
    """What this process knows of one replica."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._away_until = 0.0
        # What it lacked, and when that was found.
        self._lacked: tuple[int, float] | None = None
        self._seen: WeakKeyDictionary[Any, Position] = WeakKeyDictionary()

    def serves(self, needed: Position) -> bool:
        """Say whether it has come so far, on this thread's connection; ask it where that is not known."""
        now = time.monotonic()
        if not self._answers(partial(self._learn, needed), now):
            return False
        if self.covers(needed):
            self._lacked = None
            return True
        self._measure(self._seen[connections[self.alias].connection], needed, now)
        return False

    def as_of(self) -> datetime | None:
        """Return an instant until which it has all that was committed; None where it cannot be asked, or cannot say."""
        said: list[datetime | None] = []
        self._answers(lambda database: said.append(database.as_of()), time.monotonic())
        return said[0] if said else None

    def covers(self, needed: Position) -> bool:
        """Say whether it is known to have come so far, on this thread's connection."""
        connection = connections[self.alias].connection
        seen = None if connection is None else self._seen.get(connection)
        return seen is not None and seen.timeline == needed.timeline and seen.lsn >= needed.lsn

    def fail(self, error: Exception) -> None:
        """Leave it alone for a while, and drop the connection on which it failed."""
        self._away_until = time.monotonic() + PAUSE_SECONDS
        left_alone(self.alias, PAUSE_SECONDS)
        logger.warning(
            "replica.failed", extra={"replica": self.alias, "reason": type(error.__cause__ or error).__name__}
        )
        try:
            connections[self.alias].close()
        except Error:  # it is lost either way
            logger.debug("replica.not_closed", extra={"replica": self.alias})

    def _answers(self, question: Callable[[Any], None], now: float) -> bool:
        """Put a question to this thread's connection, and say whether it was answered."""
        if now < self._away_until:
            return False
        if self._away_until:  # somebody has to try; the others wait until it is known
            self._away_until = now + PAUSE_SECONDS
        database: Any = connections[self.alias]
        try:
            database.ensure_connection()
            question(database)
        except Error as error:
            self.fail(error)
            return False
        self._away_until = 0.0
        return True

    def _learn(self, needed: Position, database: Any) -> None:
        if not self.covers(needed):
            self._seen[database.connection] = database.replayed()

    def _measure(self, seen: Position, needed: Position, now: float) -> None:
        """Leave it alone for a while if what it lacked long ago is lacking still."""
        if self._lacked is None or (seen.timeline == needed.timeline and seen.lsn >= self._lacked[0]):
            self._lacked = (needed.lsn, now)
        lag = now - self._lacked[1]
        if lag > settings.DATABASE_REPLICA_MAX_LAG:
            self._away_until = now + PAUSE_SECONDS
            logger.warning("replica.lags", extra={"replica": self.alias, "seconds": round(lag, 1)})


class Reads:
    """The reads of one request or job: all of them from one replica, or from the primary."""

    def __init__(self) -> None:
        self._is_decided = False
        self._is_bound = False
        self._needed: Position | None = None
        self._replica: Replica | None = None

    def alias(self) -> str:
        """Return where the next read goes; the first one decides."""
        if connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return DEFAULT_DB_ALIAS
        if not self._is_decided:
            self._is_decided = True
            self._decide()
        return DEFAULT_DB_ALIAS if self._replica is None else self._replica.alias

    def stay_on_primary(self) -> None:
        """Read from the primary from now on."""
        self._is_decided, self._is_bound, self._replica = True, True, None

    def renew(self) -> None:
        """Let the next read decide anew, by what has been acknowledged by then."""
        if not self._is_bound:
            self._is_decided, self._replica = False, None

    def may_use(self, alias: str) -> bool:
        """Say whether this thread's connection to a replica, as it is now, is the one that was found fit."""
        if self._replica is None or self._needed is None or self.alias() != alias:
            return False
        return self._replica.covers(self._needed)

    def _decide(self) -> None:
        replicas = _in_turn()
        self._needed = generations().position() if replicas and settings.DATABASE_REPLICA_MAX_LAG > 0 else None
        if self._needed is not None:
            self._replica = next((each for each in replicas if each.serves(self._needed)), None)


_reads: ContextVar[Reads | None] = ContextVar("reads", default=None)
_turns = count()


@contextmanager
def reading(reads: Reads) -> Generator[None]:
    """Let `reads` say where the block reads from."""
    token = _reads.set(reads)
    try:
        yield
    finally:
        _reads.reset(token)


@contextmanager
def reading_from_replicas() -> Generator[None]:
    """Let the block read from a replica, if one has everything that was acknowledged before its first read.

    What has committed and was not acknowledged yet may be missing there: this is for reports and lists, not for whoever
    was told by an event that something has happened. Writes, transactions and whatever follows a write in the block
    stay on the primary.
    """
    with reading(Reads()):
        expect(position=bool(replica_aliases()))
        yield


def current_reads() -> Reads | None:
    """Return the reads that may go to a replica now; None where nobody has allowed it."""
    return _reads.get()


def stay_on_primary() -> None:
    """Read from the primary until the present block ends: something was written, or a replica has failed."""
    reads = _reads.get()
    if reads is not None:
        reads.stay_on_primary()


def hold_to_present() -> None:
    """Hold the reads that follow to what has been acknowledged by now.

    For whoever keeps what is read under generations that were asked for just before: a commit raises both at once, so
    a replica that is read from has whatever moved them.
    """
    reads = _reads.get()
    if reads is not None:
        reads.renew()


def replica_aliases() -> list[str]:
    """Return the names of the configured replicas."""
    return [
        alias for alias, config in connections.settings.items() if config["ENGINE"] == ENGINE and alias != ANALYTICS
    ]


@cache
def replica(alias: str) -> Replica:
    """Return what this process knows of a replica."""
    return Replica(alias)


def _in_turn() -> list[Replica]:
    """Return the replicas, beginning with another one each time."""
    aliases = replica_aliases()
    if not aliases:
        return []
    first = next(_turns) % len(aliases)
    return [replica(alias) for alias in aliases[first:] + aliases[:first]]
