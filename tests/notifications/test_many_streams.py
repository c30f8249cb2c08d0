"""Hundreds of streams at one worker of the product as it runs, which has few connections, and a Redis that dies."""

import http.client
import json
import selectors
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from redis import Redis

from campushub360.settings import base
from tests.accounts.factories import UserFactory
from tests.edge.running import Cache, Part, ask, database_url
from tests.local.conftest import eventually, free_port
from tests.local.proxying import nginx
from tests.local.test_gunicorn import HOST
from tests.notifications.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
URL = "/api/v1/notifications/stream/"
ACCOUNTS, EACH = 30, 10
CONNECTIONS = 4


class Listener:
    """One stream, whose events a test reads as they come."""

    def __init__(self, port: int, authorization: str, last: str = "", *, through: socket.socket | None = None) -> None:
        self.socket = through or socket.create_connection(("127.0.0.1", port), timeout=60)
        self.authorization = authorization
        lines = [f"GET {URL} HTTP/1.1", f"Host: {HOST}", f"Authorization: {authorization}", "Accept: text/event-stream"]
        if last:
            lines.append(f"Last-Event-ID: {last}")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.text = b""

    def take(self) -> bool:
        """Read what is there, and say whether the stream goes on."""
        arrived = self.socket.recv(65536)
        self.text += arrived
        return bool(arrived)

    def takes_until(self, is_enough: Callable[[], bool], *, seconds: float = 90) -> bool:
        """Read until there is enough, and say whether that came to be in time; heartbeats come all the while."""
        until = time.monotonic() + seconds
        while not is_enough():
            if time.monotonic() > until or not self.take():
                return False
        return True

    @property
    def is_open(self) -> bool:
        return b"retry: " in self.text

    @property
    def titles(self) -> list[str]:
        lines = self.text.rpartition(b"\n\n")[0].splitlines()
        told = [json.loads(line[6:]) for line in lines if line.startswith(b'data: {"id"')]
        return [each["title"] for each in told]

    @property
    def last(self) -> str:
        return [line[4:].decode() for line in self.text.splitlines() if line.startswith(b"id: ")][-1]

    @property
    def has_ended(self) -> bool:
        """Whether it ended as an answer does, with its last chunk, and said why."""
        return b"event: end" in self.text and self.text.endswith(b"\r\n0\r\n\r\n")


def read_until(listeners: list[Listener], is_enough: Callable[[Listener], bool], *, seconds: float = 90) -> bool:
    """Read all streams until each has had enough; say whether that came to be in time."""
    with selectors.DefaultSelector() as selector:
        for each in listeners:
            selector.register(each.socket, selectors.EVENT_READ, each)
        until = time.monotonic() + seconds
        while not all(is_enough(each) for each in listeners):
            if time.monotonic() > until:
                return False
            for key, _ in selector.select(timeout=0.5):
                if not key.data.take():
                    selector.unregister(key.fileobj)
    return True


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Cache]:
    server = Cache(tmp_path / "state")
    yield server
    server.stop()


@pytest.fixture
def web(tmp_path: Path, state: Cache, settings: Any) -> Iterator[tuple[Part, int]]:
    """One worker of the product with four connections to the database, and its port."""
    settings.REDIS_STATE_URL, settings.NOTIFICATIONS_CHANNEL = state.url, base.NOTIFICATIONS_CHANNEL
    port = free_port()
    web = Part(
        "web", tmp_path, "-m", "gunicorn", "--config", "python:campushub360.gunicorn",
        DJANGO_SETTINGS_MODULE="tests.notifications.stream_settings", DATABASE_URL=database_url(),
        REDIS_STATE_URL=state.url, REDIS_URL=settings.REDIS_URL, BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY="1",
    )  # fmt: skip
    try:
        assert eventually(lambda: status_of(port, "/livez", "") == 200, seconds=120)
        yield web, port
    finally:
        web.stop(signal.SIGQUIT)


def status_of(port: int, path: str, authorization: str) -> int:
    try:
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        return ask(server, path, authorization.removeprefix("Bearer ")).status
    except OSError:
        return 0


def connections_held() -> int:
    """Return how many connections the worker has to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name = 'campushub360'"
        )
        return int(cursor.fetchone()[0])


def connections_of_redis(state: Cache) -> int:
    """Return how many connections listen at the state Redis."""
    with Redis.from_url(state.url) as redis:
        return sum(int(each["sub"]) for each in redis.client_list())


@pytest.fixture
def names(client_for: Any) -> dict[Any, str]:
    """Accounts, and what they authenticate by."""
    users = [UserFactory() for _ in range(ACCOUNTS)]
    return {user: client_for(user)._credentials["HTTP_AUTHORIZATION"] for user in users}


def test_three_hundred_listen_and_the_others_are_served(
    web: tuple[Part, int], state: Cache, names: dict[Any, str]
) -> None:
    port, users = web[1], list(names)
    with ExitStack() as ends:
        everybody: list[Listener] = []
        for user in users:  # a crowd at one moment is refused, as on every route
            those = [Listener(port, names[user]) for _ in range(EACH)]
            for each in those:
                ends.callback(each.socket.close)
            assert read_until(those, lambda each: each.is_open)
            everybody += those

        # Few connections, three hundred streams, and whoever asks something else is answered.
        statuses = Counter(status_of(port, "/api/v1/auth/me/", names[user]) for user in users)
        assert statuses == {200: ACCOUNTS}
        assert connections_held() <= CONNECTIONS
        assert connections_of_redis(state) == 1

        for number in range(3):
            tell(*users, title=f"News {number}")
        assert read_until(everybody, lambda each: len(each.titles) >= 3)

        # Redis dies; what is told meanwhile comes when it is there again, without anybody asking.
        state.kill()
        tell(*users, title="While it was away")
        state.start()
        assert read_until(everybody, lambda each: len(each.titles) >= 4)

        # Half of them lose their connection and come back.
        gone = everybody[::2]
        places = [each.last for each in gone]
        for each in gone:
            each.socket.close()
        tell(*users, title="While they were away")
        back = []
        for each, place in zip(gone, places, strict=True):  # ten places of each account, and all were taken
            back.append(Listener(port, each.authorization, place))
            ends.callback(back[-1].socket.close)
            assert read_until(back[-1:], lambda each: each.is_open)
        stayed = everybody[1::2]
        assert read_until(stayed, lambda each: len(each.titles) >= 5)
        assert read_until(back, lambda each: len(each.titles) >= 1)
        read_until(stayed, lambda each: len(each.titles) > 5, seconds=3)

    said = ["News 0", "News 1", "News 2", "While it was away", "While they were away"]
    assert all(each.titles == said for each in stayed)
    assert all(each.titles == said[:4] for each in gone)
    assert all(each.titles == said[4:] for each in back)


def test_a_redis_that_says_nothing_holds_nothing_back(
    web: tuple[Part, int], state: Cache, names: dict[Any, str]
) -> None:
    users = list(names)[:5]
    with ExitStack() as ends:
        listeners = [Listener(web[1], names[user]) for user in users]
        for each in listeners:
            ends.callback(each.socket.close)
        assert read_until(listeners, lambda each: each.is_open)

        with state.paused():
            for number in range(3):
                tell(*users, title=f"News {number}")
            assert read_until(listeners, lambda each: len(each.titles) >= 3)
        # The connection on which nothing was said is given up for another.
        assert eventually(lambda: connections_of_redis(state) == 1, seconds=60)
        tell(*users, title="Thereafter")

        assert read_until(listeners, lambda each: len(each.titles) >= 4)
        assert all(each.titles == ["News 0", "News 1", "News 2", "Thereafter"] for each in listeners)


def test_streams_end_before_a_server_that_stops(web: tuple[Part, int], names: dict[Any, str]) -> None:
    server, port = web
    with ExitStack() as ends:
        listeners = [Listener(port, name) for name in list(names.values())[:10]]
        for each in listeners:
            ends.callback(each.socket.close)
        assert read_until(listeners, lambda each: each.is_open)

        server.process.send_signal(signal.SIGTERM)

        assert read_until(listeners, lambda each: each.has_ended)
        assert all(b'"reason":"server_stops"' in each.text.replace(b" ", b"") for each in listeners)
    assert server.process.wait(60) == 0


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("with_edge", [False, True])
def test_a_stream_goes_through_the_proxy_as_it_comes(
    web: tuple[Part, int], names: dict[Any, str], tmp_path: Path, with_edge: bool
) -> None:
    """Neither held back nor packed nor kept."""
    port, (user, name) = web[1], next(iter(names.items()))
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(folder, application=port, with_edge=with_edge) as proxy, ExitStack() as ends:
        context = ssl.create_default_context(cafile=str(proxy.folder / "fullchain.pem"))
        plain = socket.create_connection(("localhost", proxy.tls_port), timeout=30)
        listener = Listener(port, name, through=context.wrap_socket(plain, server_hostname="localhost"))
        ends.callback(listener.socket.close)
        assert listener.takes_until(lambda: listener.is_open)

        for number in range(3):
            tell(user, title=f"News {number}")
            assert listener.takes_until(lambda: len(listener.titles) == number + 1)  # noqa: B023 - called at once

        head = listener.text.partition(b"\r\n\r\n")[0].lower()
        assert b"content-type: text/event-stream" in head
        assert b"content-encoding" not in head
        assert b"x-cache" not in head
