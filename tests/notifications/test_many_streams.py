"""Hundreds of streams at one worker of the product as it runs, which has few connections, and a Redis that dies."""

import signal
import socket
import ssl
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.edge.running import Cache, Part
from tests.local.conftest import eventually
from tests.local.proxying import nginx
from tests.notifications.listening import Listener, read_until
from tests.notifications.serving import ACCOUNTS, CONNECTIONS, connections_held, connections_of_redis, status_of
from tests.notifications.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
EACH = 10


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
        assert len(connections_held()) <= CONNECTIONS
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
