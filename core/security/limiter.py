"""How often something may happen, counted exactly for all processes together.

Each limit is a bucket kept by the generic cell rate algorithm (ITU-T I.371): a single number, the
theoretical arrival time, says how far ahead of its rate a caller is. Any number of limits is
decided by one script on the state Redis, in one round trip: all of them admit the request and
count it, or none counts it. The clock is that server's, so the processes' clocks do not matter.

While that server is away or slow, each process counts for itself by the lower numbers that every
limit declares for the occasion. Nothing is ever unlimited, and nothing fails.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Self

from django.conf import settings
from redis.exceptions import RedisError

from core.metrics import left_alone
from core.redis import QuickScript, redis_at

logger = logging.getLogger(__name__)

MICROSECONDS = 1_000_000
# While Redis is away, a process remembers this many callers; the one heard of longest ago is forgotten first.
MOST_LOCAL_BUCKETS = 20_000

SCRIPT = QuickScript("""
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answer, arrivals = {0}, redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local ahead = math.max(tonumber(arrivals[i] or now) - now, 0)
  answer[i + 1] = ahead
  answer[1] = math.max(answer[1], ahead + interval - burst * interval)
end
if answer[1] == 0 then
  for i, key in ipairs(KEYS) do
    local ahead = answer[i + 1] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
    answer[i + 1] = ahead
  end
end
return answer
""")

_SPELLING = re.compile(
    r"(?P<quota>[1-9]\d*)/(?P<seconds>[1-9]\d*) burst (?P<burst>[1-9]\d*) outage (?P<outage>[1-9]\d*)"
)


@dataclass(frozen=True)
class Limit:
    """`quota` requests in `seconds`, evenly, of which `burst` may come at once.

    While the shared count is out of reach each process admits `outage` requests in `seconds`.
    """

    name: str
    quota: int
    seconds: int
    burst: int
    outage: int

    @classmethod
    def parse(cls, name: str, text: str) -> Self | None:
        """Return the limit that `1200/60 burst 300 outage 120` spells, None for `off`; raise ValueError."""
        if text.strip() == "off":
            return None
        spelled = _SPELLING.fullmatch(" ".join(text.split()))
        if spelled is None:
            raise ValueError(f"{text!r} is no limit: write it as `1200/60 burst 300 outage 120`, or `off`")
        limit = cls(name=name, **{part: int(number) for part, number in spelled.groupdict().items()})
        if max(limit.quota, limit.outage) > limit.seconds * MICROSECONDS:
            raise ValueError(f"{text!r} is more than one request in a microsecond")
        return limit

    @cached_property
    def interval(self) -> int:
        """The microseconds in which one request is earned back."""
        return -(-self.seconds * MICROSECONDS // self.quota)

    @property
    def in_outage(self) -> "Limit":
        """The limit that a single process keeps while it counts alone."""
        return Limit(self.name, self.outage, self.seconds, min(self.burst, self.outage), self.outage)


@dataclass(frozen=True)
class Demand:
    """A request of `subject` on a limit, such as an account, an address or a route."""

    limit: Limit
    subject: str


@dataclass(frozen=True)
class Standing:
    """Where a subject stands with a limit after a request: how many more may come at once, and when one more may."""

    limit: Limit
    remaining: int
    seconds: int


@dataclass(frozen=True)
class Verdict:
    """Whether a request was admitted; if it was not, in how many seconds it would be."""

    is_admitted: bool
    wait: float
    standings: tuple[Standing, ...]
    is_shared: bool = True


class Limiter:
    """Counts on the server at `url`, under `prefix`, with `patience` seconds for an answer.

    After a failure it counts alone for `pause` seconds before it asks the server again, so that an
    outage does not cost every request its patience.
    """

    def __init__(self, url: str, *, prefix: str, patience: float = 0.25, pause: float = 1.0) -> None:
        self.prefix = prefix
        self.pause = pause
        self._redis = redis_at(url, patience=patience)
        self._alone = _LocalBuckets()
        self._alone_until = 0.0

    def spend(self, demands: Sequence[Demand]) -> Verdict:
        """Admit a request and count it against every limit, or refuse it and count it against none; never raise."""
        now = time.monotonic()
        if now < self._alone_until:
            return self._alone.spend(demands)
        if self._alone_until:  # somebody has to try; the others count alone until it is known
            self._alone_until = now + self.pause
        try:
            verdict = self._spend_shared(demands)
        except (RedisError, OSError) as error:
            self._alone_until = time.monotonic() + self.pause
            left_alone("state", self.pause)
            logger.warning("limiter.alone", extra={"reason": type(error).__name__, "seconds": self.pause})
            return self._alone.spend(demands)
        self._alone_until = 0.0
        return verdict

    def spending_ahead(self, demands: Sequence[Demand]) -> AbstractContextManager[None]:
        """Let what the block asks of the same server take along what `spend` is going to ask there of these."""
        if not demands or time.monotonic() < self._alone_until:
            return nullcontext()
        return self._redis.asking_ahead(SCRIPT, *self._asked(demands))

    def _spend_shared(self, demands: Sequence[Demand]) -> Verdict:
        if not demands:
            return Verdict(is_admitted=True, wait=0, standings=())
        answer: Any = self._redis.run(SCRIPT, *self._asked(demands))
        return _verdict([demand.limit for demand in demands], int(answer[0]), [int(ahead) for ahead in answer[1:]])

    def _asked(self, demands: Sequence[Demand]) -> tuple[list[str], list[int]]:
        """Return the keys and the arguments of the script."""
        keys = [f"{self.prefix}:{demand.limit.name}:{demand.subject}" for demand in demands]
        return keys, [number for demand in demands for number in (demand.limit.interval, demand.limit.burst)]


def limiter() -> Limiter:
    """Return the one of this process that counts where the settings say."""
    return _limiter(settings.REDIS_STATE_URL, settings.RATE_LIMIT_PREFIX)


@cache
def _limiter(url: str, prefix: str) -> Limiter:
    return Limiter(url, prefix=prefix)


class _LocalBuckets:
    """The same buckets in this process alone, by the lower numbers of an outage."""

    def __init__(self) -> None:
        self._arrivals: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, demands: Sequence[Demand]) -> Verdict:
        limits = [demand.limit.in_outage for demand in demands]
        keys = [(demand.limit.name, demand.subject) for demand in demands]
        with self._lock:
            now = time.monotonic_ns() // 1000
            ahead = [max(self._arrivals.get(key, now) - now, 0) for key in keys]
            wait = max(
                (
                    each + limit.interval - limit.burst * limit.interval
                    for each, limit in zip(ahead, limits, strict=True)
                ),
                default=0,
            )
            if wait <= 0:
                ahead = [each + limit.interval for each, limit in zip(ahead, limits, strict=True)]
                for key, each in zip(keys, ahead, strict=True):
                    self._arrivals[key] = now + each
                    self._arrivals.move_to_end(key)
                while len(self._arrivals) > MOST_LOCAL_BUCKETS:
                    self._arrivals.popitem(last=False)
        return _verdict(limits, max(wait, 0), ahead, is_shared=False)


def _verdict(limits: Sequence[Limit], wait: int, ahead: Sequence[int], *, is_shared: bool = True) -> Verdict:
    standings = []
    for limit, each in zip(limits, ahead, strict=True):
        remaining = max(limit.burst - -(-each // limit.interval), 0)
        next_one = (each % limit.interval or limit.interval) if each else 0
        standings.append(Standing(limit, remaining, -(-next_one // MICROSECONDS)))
    return Verdict(wait <= 0, wait / MICROSECONDS, tuple(standings), is_shared)
