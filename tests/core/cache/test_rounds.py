"""Questions that travel to Redis together: each gets its own answer, and nobody is forgotten."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from core.redis import Line, QuickRedis, QuickScript, redis_at
from tests.local.conftest import eventually

SECONDS = 30


@pytest.fixture
def client() -> QuickRedis:
    return redis_at(settings.REDIS_URL, patience=SECONDS)


@pytest.fixture
def other() -> Iterator[Any]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        yield redis


@pytest.fixture
def held(client: QuickRedis, other: Any) -> Iterator[Callable[[], None]]:
    """Let one round be under way, and return what lets it end."""
    key = f"rounds:{os.getpid()}"
    other.delete(key)
    with ThreadPoolExecutor(1) as thread:
        under_way = thread.submit(client.ask_along, "BLPOP", key, "0")
        assert eventually(lambda: not client._rounds._waiting and client._rounds._under_way.locked())
        yield lambda: other.rpush(key, "end")
        under_way.result(SECONDS)


def asked_together(client: QuickRedis, end: Callable[[], None], commands: list[tuple[str, ...]]) -> list[Any]:
    """Return what each was answered, or the kind of error it was told, of those that waited for one round."""

    def outcome(command: tuple[str, ...]) -> Any:
        try:
            return client.ask_along(*command)
        except (RedisError, OSError) as error:
            return type(error)

    with ThreadPoolExecutor(len(commands)) as threads:
        told = [threads.submit(outcome, command) for command in commands]
        assert eventually(lambda: len(client._rounds._waiting) == len(commands))
        end()
        return [each.result(SECONDS) for each in told]


def test_each_is_told_what_it_asked_however_many_ask_at_once(client: QuickRedis) -> None:
    def ask(thread: int) -> list[bytes]:
        return [client.ask_along("ECHO", f"{thread}.{number}") for number in range(200)]

    with ThreadPoolExecutor(16) as threads:
        told = list(threads.map(ask, range(16)))

    assert told == [[f"{thread}.{number}".encode() for number in range(200)] for thread in range(16)]


def test_those_that_come_while_one_is_under_way_go_together_on_one_connection(
    client: QuickRedis, held: Callable[[], None]
) -> None:
    assert len(set(asked_together(client, held, [("CLIENT", "ID")] * 9))) == 1


def test_one_that_is_refused_spoils_no_other(client: QuickRedis, held: Callable[[], None]) -> None:
    told = asked_together(client, held, [("ECHO", "one"), ("GET",), ("ECHO", "other")])

    assert told == [b"one", ResponseError, b"other"]


def test_a_lost_connection_is_told_to_all_on_it_and_to_nobody_after(
    client: QuickRedis, held: Callable[[], None]
) -> None:
    told = asked_together(client, held, [("QUIT",), ("ECHO", "one"), ("ECHO", "other")])

    assert [isinstance(each, type) and issubclass(each, RedisError | OSError) for each in told[1:]] == [True, True]
    assert client.ask_along("ECHO", "after") == b"after"


def test_who_is_stopped_while_they_wait_holds_up_nobody(client: QuickRedis, held: Callable[[], None]) -> None:
    class Stopped(BaseException):
        pass

    def stop(*_: object) -> None:
        threading.Timer(0.1, held).start()
        raise Stopped

    former = signal.signal(signal.SIGUSR1, stop)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    try:
        with pytest.raises(Stopped):
            client.ask_along("ECHO", "stopped")
    finally:
        signal.signal(signal.SIGUSR1, former)

    assert client.ask_along("ECHO", "after") == b"after"


COUNT = QuickScript("return {redis.call('INCR', KEYS[1]), ARGV[1]}")


@pytest.fixture
def counter(other: Any) -> Iterator[str]:
    key = f"rounds:counter:{os.getpid()}"
    other.script_load(COUNT.text)
    yield key
    other.delete(key)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many commands each write to a server held."""
    counts, send = [], Line.send

    def noted(line: Line, commands: Any) -> None:
        commands = list(commands)
        counts.append(len(commands))
        send(line, commands)

    monkeypatch.setattr(Line, "send", noted)
    return counts


class TestAskingAhead:
    def test_takes_along_what_is_asked_next_once(self, client: QuickRedis, counter: str, sent: list[int]) -> None:
        with client.asking_ahead(COUNT, [counter], ["mine"]):
            assert client.ask_along("ECHO", "first") == b"first"
            assert client.run(COUNT, [counter], ["mine"]) == [1, b"mine"]
            assert sent == [2]
            assert client.run(COUNT, [counter], ["mine"]) == [2, b"mine"]
            assert client.ask_along("ECHO", "last") == b"last"
        assert client.run(COUNT, [counter], ["mine"]) == [3, b"mine"]

        assert sent == [2, 1, 1, 1]

    def test_asks_as_ever_where_nothing_else_is_asked_or_asked_elsewhere(
        self, client: QuickRedis, counter: str, sent: list[int]
    ) -> None:
        elsewhere = redis_at(settings.REDIS_URL, patience=SECONDS - 1)

        with client.asking_ahead(COUNT, [counter], ["mine"]):
            assert elsewhere.ask_along("ECHO", "first") == b"first"
            assert client.run(COUNT, [counter], ["another's"]) == [1, b"another's"]

        assert [elsewhere is client, sent] == [False, [1, 2]]

    def test_tells_a_server_that_does_not_know_a_script_what_it_says(
        self, client: QuickRedis, counter: str, other: Any
    ) -> None:
        unknown = QuickScript(f"{COUNT.text} -- {os.getpid()}")

        with client.asking_ahead(unknown, [counter], ["mine"]):
            client.ask_along("ECHO", "first")
            assert client.run(unknown, [counter], ["mine"]) == [1, b"mine"]

    def test_fails_with_what_it_travels_with(
        self, client: QuickRedis, counter: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(line: Line, commands: Any) -> None:
            raise OSError("gone")

        with client.asking_ahead(COUNT, [counter], ["mine"]):
            with monkeypatch.context() as patched:
                patched.setattr(Line, "send", lost)
                with pytest.raises(OSError, match="gone"):
                    client.ask_along("ECHO", "first")
            with pytest.raises(OSError, match="gone"):
                client.run(COUNT, [counter], ["mine"])
            assert client.run(COUNT, [counter], ["mine"]) == [1, b"mine"]

    def test_is_of_one_block_alone(self, client: QuickRedis, counter: str, sent: list[int]) -> None:
        with client.asking_ahead(COUNT, [counter], ["mine"]), ThreadPoolExecutor(1) as thread:
            assert thread.submit(client.ask_along, "ECHO", "another's").result(SECONDS) == b"another's"

        assert sent == [1]
