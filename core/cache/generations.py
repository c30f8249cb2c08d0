"""The generations of tags, as Redis has them: how far each has come, and whether that may be trusted.

A generation is the position in the database's log (LSN) by which the last change of the tag's rows had committed. It
only grows. Beside the generations lies a lease, which the keeper renews as long as every change that it finds in the
database has been raised: without a lease nobody trusts a generation, and whatever is remembered is not used. So a
writer that dies before it has raised what it wrote, a Redis that was away, and a keeper that is gone cost speed and
nothing else.

The lease's value is the epoch, which changes with the server's process, with its data and with the database's timeline.
It is part of every reading, so that what was read in another epoch is never taken for the present.

Beside them lies how far all of them have come: the position by which every acknowledged commit has ended, whatever it
changed. Replicas are held to it (`core.db.positions`).

A request asks once, at a moment after it began: whoever wants to know something within `asking_once` is told what was
true at that moment, and what is going to be wanted is asked for along with the first question (`expect`). That is as
exact as asking each time, since a request is promised what was acknowledged before it began; and what it writes itself
ends the moment. Inside a transaction nobody asks.
"""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from redis.exceptions import RedisError

from core.cache.raised import line_of
from core.cache.tags import gathered
from core.metrics import left_alone
from core.redis import redis_at

logger = logging.getLogger(__name__)

# What an answer was made at: the epoch, and the generation of each tag it depends on. Compared, never looked into.
Reading = tuple[bytes | None, ...]


class Position(NamedTuple):
    """A place in the database's log: its timeline, and so many bytes from the log's beginning."""

    timeline: int
    lsn: int


# Longer than any writer takes from its commit to the raise.
REMEMBERED_SECONDS = 60

# Raises the generations of a commit once, whoever comes first: its writer or the keeper; and how far all of them are.
# Under the commit's name stays what it moved, for a writer who finds that the keeper was first.
RAISE = """
if ARGV[2] ~= '' then
  if not redis.call('SET', KEYS[1], ARGV[5], 'NX', 'EX', ARGV[3]) then return 0 end
end
local reached = tonumber(redis.call('GET', KEYS[2]) or 0)
redis.call('SET', KEYS[2], string.format('%.0f', math.max(reached, tonumber(ARGV[1]))))
for i = 3, #KEYS do
  local former = tonumber(redis.call('GET', KEYS[i]) or 0) or 0
  redis.call('SET', KEYS[i], string.format('%.0f', math.max(former + 1, tonumber(ARGV[1]))))
end
if #KEYS > 2 then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 1
"""
# The lease ends at an instant of the server's clock: however late this is executed, it grants no longer. Nor, if that
# clock was set back since, for longer than it was meant to last.
GRANT = """
local clock = redis.call('TIME')
local left = math.min(tonumber(ARGV[2]) - math.ceil(clock[1] * 1000 + clock[2] / 1000), tonumber(ARGV[3]))
if left <= 0 or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', left)
return 1
"""


class Moment:
    """What one request was told, by whom, and what it is going to want."""

    def __init__(self) -> None:
        self.tags: tuple[str, ...] = ()
        self.wants_position = False
        self.end()

    def end(self) -> None:
        """Forget what was told: something may have been written since."""
        self.by: Generations | None = None
        self.told: dict[str, bytes | None] | None = {}


_moment: ContextVar[Moment | None] = ContextVar("moment", default=None)


@contextmanager
def asking_once() -> Generator[None]:
    """Let the block be told what is true at one moment in it, however often it asks."""
    token = _moment.set(Moment())
    try:
        yield
    finally:
        _moment.reset(token)


def expect(tags: Sequence[str] = (), *, position: bool = False) -> None:
    """Say what the present block is going to ask for, so that it is asked along with the first question."""
    moment = _moment.get()
    if moment is not None:
        moment.tags += tuple(tags)
        moment.wants_position |= position


def end_moment() -> None:
    """Let the present block ask anew: it has written something."""
    moment = _moment.get()
    if moment is not None:
        moment.end()


class UntrustworthyError(Exception):
    """The server may forget generations one by one, so that an old one could come again."""


class Generations:
    """Those kept on the server at `url`, under `prefix`, with `patience` seconds for an answer.

    After a failure nothing is asked for `pause` seconds, so that an outage does not cost every request its patience.
    """

    def __init__(self, url: str, *, prefix: str, patience: float = 0.25, pause: float = 1.0) -> None:
        self._pause = pause
        self._away_until = 0.0
        self._redis = redis_at(url, patience=patience)
        self._raise, self._grant = map(self._redis.register_script, (RAISE, GRANT))
        self._lease, self._epoch = f"{prefix}:lease", f"{prefix}:epoch"
        self._tag, self._commit, self._position = f"{prefix}:tag:", f"{prefix}:commit:", f"{prefix}:position"
        self._channel = f"{prefix}:raised"

    def read(self, tags: Sequence[str]) -> Reading | None:
        """Return where the tags stand at this moment; None when nobody can tell, and nothing kept may be used."""
        return self._told([self._tag + tag for tag in tags])

    def position(self) -> Position | None:
        """Return where in the log every commit that was acknowledged by now has ended; None when nobody can tell."""
        found = self._told([self._position])
        if found is None or found[0] is None or found[1] is None:
            return None
        timeline, _, _ = found[0].partition(b":")
        try:
            return Position(int(timeline, 16), int(found[1]))
        except ValueError:  # somebody else has written there
            return None

    def _told(self, keys: Sequence[str]) -> Reading | None:
        """Return the lease and the values of keys, as they were at the moment of the present block if there is one."""
        moment = _moment.get()
        if moment is None:
            return self._ask(keys)
        if moment.by is not self or (moment.told is not None and not moment.told.keys() >= {*keys}):
            self._tell(moment, keys)
        return None if moment.told is None else tuple(moment.told[key] for key in (self._lease, *keys))

    def _tell(self, moment: Moment, keys: Sequence[str]) -> None:
        former = (moment.told or {}) if moment.by is self else {}
        asked = [*dict.fromkeys([*keys, *(self._tag + tag for tag in moment.tags)])]
        # Never older than the generations: a replica that is held to it has whatever moved them.
        if (moment.wants_position or self._position in former) and self._position not in asked:
            asked.append(self._position)
        found = self._ask(asked)
        told = None if found is None else dict(zip((self._lease, *asked), found, strict=True))
        if told is not None and former.get(self._lease) == told[self._lease]:
            told = former | told
        moment.by, moment.told = self, told

    def _ask(self, keys: Sequence[str]) -> Reading | None:
        now = time.monotonic()
        if now < self._away_until:
            return None
        if self._away_until:  # somebody has to try; the others wait until it is known
            self._away_until = now + self._pause
        try:
            found: Any = self._redis.ask_along("MGET", self._lease, *keys)
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + self._pause
            left_alone("cache", self._pause)
            logger.warning("generations.away", extra={"reason": type(error).__name__, "seconds": self._pause})
            return None
        self._away_until = 0.0
        return tuple(found) if found[0] is not None else None

    def raise_to(self, position: int, tags: Sequence[str], *, commit: str = "") -> None:
        """Raise the generations of tags, and how far all are, to a position: all that a commit moved, once if named.

        Whoever listens is told of the tags (`core.cache.raised`), once they have moved.
        Raises `RedisError` or `OSError` when that cannot be done.
        """
        if time.monotonic() < self._away_until:
            raise RedisError("the server was away a moment ago")
        tags = gathered(tags)
        keys = [self._commit + commit, self._position, *[self._tag + tag for tag in tags]]
        try:
            self._raise(keys=keys, args=[position, commit, REMEMBERED_SECONDS, self._channel, line_of(commit, tags)])
        except (RedisError, OSError):
            self._away_until = time.monotonic() + self._pause
            left_alone("cache", self._pause)
            raise

    def raised(self, commit: str) -> str | None:
        """Return the line that tells of a commit which somebody has raised lately; None if nobody has.

        Raises `RedisError` or `OSError` when the server does not answer.
        """
        line: Any = self._redis.ask("GET", self._commit + commit)
        return None if line is None else str(line.decode())

    def lease_left(self) -> float:
        """Return for how many seconds generations may be trusted; 0 without a lease, or a server that answers."""
        try:
            left: Any = self._redis.pttl(self._lease)
        except (RedisError, OSError):
            return 0.0
        return float(max(left, 0)) / 1000

    def now(self) -> int:
        """Return the server's time in milliseconds; raise `RedisError` or `OSError` when it does not answer."""
        seconds, microseconds = self._redis.time()
        self._away_until = 0.0
        return seconds * 1000 + microseconds // 1000

    def epoch_on(self, timeline: str, *, afresh: bool = False) -> str:
        """Return the epoch of the server as it runs, for a database on a timeline: what it was, or a fresh one.

        Raises `UntrustworthyError`, `RedisError` or `OSError`.
        """
        info: Any = self._redis.info()
        if info["maxmemory_policy"].startswith("allkeys"):
            raise UntrustworthyError(f"maxmemory-policy is {info['maxmemory_policy']}; it has to be one of volatile-*")
        present = f"{timeline}:{info['run_id']}:"
        known: Any = self._redis.get(self._epoch)
        if not afresh and known is not None and known.decode().startswith(present):
            return str(known.decode())
        fresh = f"{present}{time.time_ns()}"
        self._redis.set(self._epoch, fresh)
        return fresh

    def grant(self, epoch: str, *, until: int, longest: int) -> bool:
        """Let readers trust the generations until then (`now`), unless the epoch has ended; say whether that was done.

        They trust them for `longest` milliseconds at most, whatever became of the clock.
        Raises `RedisError` or `OSError`.
        """
        return bool(self._grant(keys=[self._epoch, self._lease], args=[epoch, until, longest]))


def generations() -> Generations:
    """Return those of this process's settings."""
    return _generations(settings.REDIS_URL, settings.GENERATIONS_PREFIX)


@cache
def _generations(url: str, prefix: str) -> Generations:
    return Generations(url, prefix=prefix)
