"""Who listens for notifications in this process, what wakes them, and who reads for all of them.

However many listen, the process keeps one connection to Redis, on which it hears whom something was told, and asks the
database one question for everybody who is to be told something: how many streams wake at once is nothing to the pool.
What is told is read from the database from where each listener is, so a message that is lost, or comes twice, loses and
repeats nothing. Every few seconds it is read for everybody, and every second while Redis is away.
"""

import json
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as SilenceError
from redis.retry import Retry

from accounts.selectors import good_among
from core.db.availability import DATABASE_ERRORS, forget_lost_connections
from core.health import is_draining
from core.metrics import STREAMS
from core.redis import redis_at
from core.streams import let_go
from notifications.seats import LEFT, SERVER_STOPS, SESSION_ENDED, UNAVAILABLE, Seat
from notifications.selectors import told_since

# How many may listen in one process, and of one account. `worker_connections` has room for them beside requests.
MOST, MOST_OF_ONE = 400, 10
# Seconds. A log-in that was ended is noticed within the first and the second together, less than five, whatever has
# become of Redis; a server that stops, and one that is back, within the second. Nobody listens for longer than the
# third without having been looked at.
INSPECTED_EVERY, LOOKS_EVERY, LONGEST_UNINSPECTED = 3.5, 1.0, 30.0
# Seconds: whoever tells somebody something waits no longer than the first for Redis; whoever listens takes it for gone
# when it says nothing for longer than the second.
PATIENCE, PATIENCE_OF_LISTENER = 0.25, 3.0

logger = logging.getLogger(__name__)


class FullError(Exception):
    """No more may listen in this process."""


class CrowdedError(Exception):
    """No more of this account may listen."""


class Hub:
    """The listeners of one process."""

    def __init__(self, url: str, channel: str) -> None:
        self._url, self._channel = url, channel
        self._seats: defaultdict[UUID, set[Seat]] = defaultdict(set)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._asked, self._hears = threading.Event(), threading.Event()
        self._inspected = time.monotonic()

    def join(self, seat: Seat) -> None:
        """Let somebody listen, who has to leave; raise `FullError` or `CrowdedError`."""
        try:
            self._admit(seat)
        except (FullError, CrowdedError):
            # Of those who have left some may not have been noticed, and they come back to the same process.
            self._see_off(self._everybody())
            self._admit(seat)
        self.look()

    def leave(self, seat: Seat) -> None:
        """Let somebody listen no more, once or more often."""
        with self._lock:
            seats = self._seats.get(seat.claims.user_id, set())
            seats.discard(seat)
            if not seats:
                self._seats.pop(seat.claims.user_id, None)
            STREAMS.set(self._number())

    def look(self) -> None:
        """Have it read what there is for those who are rung."""
        self._asked.set()

    def hears(self, seconds: float) -> bool:
        """Say whether, now or within so many seconds, this process hears whom something is told."""
        return self._hears.wait(seconds)

    @property
    def taken(self) -> int:
        """How many listen."""
        with self._lock:
            return self._number()

    def _admit(self, seat: Seat) -> None:
        account = seat.claims.user_id
        with self._lock:
            if len(self._seats.get(account, ())) >= MOST_OF_ONE:
                raise CrowdedError
            if is_draining() or self._number() >= MOST:
                raise FullError
            self._seats[account].add(seat)
            STREAMS.set(self._number())
            if not self._threads:
                self._inspected = time.monotonic()
                self._threads = [
                    threading.Thread(target=run, name=f"notifications-{name}", daemon=True)
                    for name, run in (("hearing", self._hear), ("reading", self._read))
                ]
                for thread in self._threads:
                    thread.start()

    def _number(self) -> int:
        return sum(map(len, self._seats.values()))

    def _everybody(self) -> list[Seat]:
        with self._lock:
            return [seat for seats in self._seats.values() for seat in seats]

    def _see_off(self, seats: Iterable[Seat]) -> None:
        for seat in seats:
            if seat.has_left:
                self.leave(seat)
                seat.end(LEFT)

    def _ring(self, seats: Iterable[Seat]) -> None:
        _mark(seats)
        self.look()

    def _hear(self) -> None:
        """Hear from Redis whom something was told, for as long as the process lives."""
        while True:
            try:
                self._listen()
            except (RedisError, OSError) as error:
                if self._hears.is_set():
                    logger.warning("notifications.stream_deaf", extra={"error": type(error).__name__})
            except Exception:
                # Whoever listens would hear late, for good.
                logger.exception("notifications.stream_failed")
            self._hears.clear()
            time.sleep(LOOKS_EVERY)

    def _listen(self) -> None:
        # Nothing is tried twice unseen: what was told before the second time would not be heard.
        client = Redis.from_url(
            self._url,
            socket_timeout=PATIENCE_OF_LISTENER,
            socket_connect_timeout=PATIENCE_OF_LISTENER,
            retry=Retry(NoBackoff(), 0),
        )
        with client, client.pubsub() as heard:  # type: ignore[no-untyped-call]  # the library's
            heard.subscribe(self._channel)
            for message in _messages(heard):
                if message["type"] == "message":
                    self._ring(self._seats_of(map(UUID, json.loads(message["data"]))))
                elif message["type"] == "subscribe":  # it hears from now on; what was told before is read
                    self._hears.set()
                    self._ring(self._everybody())

    def _seats_of(self, users: Iterable[UUID]) -> list[Seat]:
        with self._lock:
            return [seat for user in users for seat in self._seats.get(user, ())]

    def _read(self) -> None:
        """Read for all who listen, for as long as the process lives."""
        while True:
            self._asked.wait(LOOKS_EVERY)
            self._asked.clear()
            seats = self._everybody()
            try:
                self._round(seats)
            except Exception as error:
                if isinstance(error, DATABASE_ERRORS):
                    forget_lost_connections(error)
                    logger.warning("notifications.stream_unread", extra={"error": type(error).__name__})
                else:
                    logger.exception("notifications.stream_failed")
                    _end(seats, UNAVAILABLE)
                if time.monotonic() - self._inspected >= LONGEST_UNINSPECTED:
                    _end(seats, UNAVAILABLE)
                time.sleep(LOOKS_EVERY)
            finally:
                let_go()

    def _round(self, seats: Collection[Seat]) -> None:
        if is_draining():
            _end(seats, SERVER_STOPS)
            return
        if time.monotonic() - self._inspected >= INSPECTED_EVERY:
            self._inspect(seats)
            self._inspected = time.monotonic()
            _mark(seats)
        elif not self._hears.is_set():
            _mark(seats)
        self._tell([seat for seat in seats if seat.is_waiting])

    def _inspect(self, seats: Collection[Seat]) -> None:
        """End the streams of those who have left, and of log-ins and accounts that are no longer good."""
        self._see_off(seats)
        _end_bad(seats)

    def _tell(self, seats: Collection[Seat]) -> None:
        """Lay ready what was told to those who wait, and whose log-ins are good: as many questions for any number."""
        if not seats:
            return
        for seat in seats:  # before it is asked: who is rung meanwhile is asked for again
            seat.is_rung = False
        try:
            found = told_since([(seat.claims.user_id, seat.place) for seat in seats])
            _end_bad(seat for seat, told in zip(seats, found, strict=True) if told.rows)
        except BaseException:
            _mark(seats)
            raise
        for seat, told in zip(seats, found, strict=True):
            seat.hand(told)
        if any(seat.is_waiting for seat in seats):
            self.look()


def _messages(heard: PubSub) -> Iterator[dict[str, Any]]:
    """Yield what is said; raise `RedisError` once nothing is said for too long, nor answered."""
    last = time.monotonic()
    while True:
        message = heard.get_message(timeout=LOOKS_EVERY)
        if message is not None:
            last = time.monotonic()
            yield message
        elif time.monotonic() - last > PATIENCE_OF_LISTENER:
            raise SilenceError("the server says nothing")
        else:
            heard.ping()


def _mark(seats: Iterable[Seat]) -> None:
    """Have something read for these with the next round."""
    for seat in seats:
        seat.is_rung = True


def _end_bad(seats: Iterable[Seat]) -> None:
    """End the streams of those among these whose log-ins and accounts are no longer good."""
    asked = list(seats)
    good = good_among([seat.claims for seat in asked], at=timezone.now()) if asked else frozenset()
    _end([seat for seat in asked if seat.claims not in good], SESSION_ENDED)


def _end(seats: Iterable[Seat], why: str) -> None:
    for seat in seats:
        seat.end(why)


def ring(users: Iterable[UUID]) -> None:
    """Wake the listeners of accounts, wherever they listen; who is not reached is told a few seconds later."""
    try:
        redis_at(settings.REDIS_STATE_URL, patience=PATIENCE).ask(
            "PUBLISH", settings.NOTIFICATIONS_CHANNEL, json.dumps([str(user) for user in users])
        )
    except (RedisError, OSError) as error:
        logger.warning("notifications.not_rung", extra={"error": type(error).__name__})


def hub() -> Hub:
    """Return this process's."""
    return _hub(settings.REDIS_STATE_URL, settings.NOTIFICATIONS_CHANNEL, os.getpid())


@cache
def _hub(url: str, channel: str, _pid: int) -> Hub:
    return Hub(url, channel)
