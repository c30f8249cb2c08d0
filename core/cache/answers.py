"""Rendered answers, remembered in the process and in Redis under keys that a later write makes unreachable.

A key names everything an answer depends on: the release, whose sight it is, the generations of what was read, the day
and the question. Nothing is ever deleted to invalidate it. So either place may be empty, full or away, and only speed
changes. What is stored in Redis is bytes that are read as bytes.
"""

import logging
import threading
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from django.conf import settings
from redis.exceptions import RedisError

from core.cache.local import LocalCache
from core.metrics import left_alone
from core.redis import redis_at

logger = logging.getLogger(__name__)

# As many bytes of answers as a process remembers, the longest of them, and what keeping one takes beside its body: most
# are short, such as a number of rows.
MOST_BYTES, LONGEST_ANSWER, KEEPING = 32 << 20, 1 << 20, 500
# An answer is forgotten so long after it was made, whether or not anything has changed.
SECONDS = 300
COMPRESSED_FROM = 1024
# Whoever waits longer than this for somebody else's answer makes it as well.
PATIENCE = 5.0

_PLAIN, _COMPRESSED = b"p", b"z"


@dataclass(frozen=True)
class Answer:
    """The body of an answer and its entity tag."""

    etag: str
    body: bytes

    def packed(self) -> bytes:
        if len(self.body) < COMPRESSED_FROM:
            return b"\n".join([_PLAIN, self.etag.encode(), self.body])
        return b"\n".join([_COMPRESSED, self.etag.encode(), zlib.compress(self.body, 1)])

    @classmethod
    def unpacked(cls, packed: bytes) -> Self | None:
        """Return what was packed; None for what was not."""
        try:
            kind, etag, body = packed.split(b"\n", 2)
            if kind == _PLAIN:
                return cls(etag.decode(), body)
            return cls(etag.decode(), zlib.decompress(body)) if kind == _COMPRESSED else None
        except (ValueError, zlib.error):
            return None


class Answers:
    """Those of this process, and those that all processes share on the server at `url`, under `prefix`."""

    def __init__(self, url: str, *, prefix: str, patience: float = 0.25, pause: float = 1.0) -> None:
        self._prefix = prefix
        self._pause = pause
        self._away_until = 0.0
        self._here: LocalCache[bytes, Answer] = LocalCache(most=MOST_BYTES, clock=time.monotonic, weigh=_weight)
        self._flights: dict[bytes, threading.Lock] = {}
        self._redis = redis_at(url, patience=patience)

    def near(self, key: bytes) -> Answer | None:
        """Return what this process remembers."""
        return self._here.get(key)

    def far(self, key: bytes) -> Answer | None:
        """Return what the processes share, and remember it here."""
        packed = self._ask(lambda: self._redis.ask("GET", self._name(key)))
        answer = Answer.unpacked(packed) if packed is not None else None
        if answer is None:
            return None
        self._here.add(key, answer, until=time.monotonic() + SECONDS)
        return answer

    def add(self, key: bytes, answer: Answer) -> None:
        """Remember an answer here and for the other processes."""
        if len(answer.body) > LONGEST_ANSWER:
            return
        self._here.add(key, answer, until=time.monotonic() + SECONDS)
        self._ask(lambda: self._redis.ask("SET", self._name(key), answer.packed(), "EX", SECONDS))

    @contextmanager
    def made_once(self, key: bytes) -> Generator[None]:
        """Let one thread of this process at a time make an answer; the others find it when they get their turn."""
        flight = self._flights.setdefault(key, threading.Lock())
        is_ours = flight.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if is_ours:
                self._flights.pop(key, None)
                flight.release()

    def _name(self, key: bytes) -> bytes:
        return self._prefix.encode() + b":" + key

    def _ask(self, question: Any) -> Any:
        if time.monotonic() < self._away_until:
            return None
        try:
            return question()
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + self._pause
            left_alone("cache", self._pause)
            logger.warning("answers.away", extra={"reason": type(error).__name__, "seconds": self._pause})
            return None


def answers() -> Answers:
    """Return those of this process's settings."""
    return _answers(settings.REDIS_URL, settings.ANSWERS_PREFIX)


@cache
def _answers(url: str, prefix: str) -> Answers:
    return Answers(url, prefix=prefix)


def _weight(answer: Answer) -> int:
    return len(answer.body) + KEEPING
