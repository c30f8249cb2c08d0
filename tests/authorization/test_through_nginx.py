"""What the proxy serves of every read is what the application tells whoever asks, whoever has asked before.

The real nginx, with the edge and so with every cache that there is, stands before the application of this process,
which shares its connection: what is asked through the proxy sees the world, and is undone. What the application lets
the edge keep, which it does of what is committed alone, is asked in `tests/edge`.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connections, transaction
from django.test import override_settings

from tests.authorization.test_answers import READS, Answer, send, url_of
from tests.authorization.world import World
from tests.local.proxying import Proxy, nginx
from tests.local.test_gunicorn import HOST

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.sweep,
    pytest.mark.needs("nginx", "libnginx-mod-http-lua"),
]

# Somebody who sees everything, somebody who sees little, a program with a key, and nobody.
IN_TURN = ("system_admin", "student", "integration", "anonymous")
COMPARED = ("Cache-Control", "Content-Type", "Content-Disposition")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing: what went wrong is in the answer."""


@contextmanager
def application() -> Iterator[int]:
    """Serve the application of this process, one request after another, each of them undone; yield its port."""
    answer, shared = get_wsgi_application(), connections["default"]

    def undone(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with transaction.atomic(), left_open():
            response = answer(environ, start_response)
            try:
                return [b"".join(response)]
            finally:
                transaction.set_rollback(True)
                response.close()

    server = make_server("127.0.0.1", 0, undone, handler_class=_Quiet)

    def serve() -> None:
        connections["default"] = shared
        server.serve_forever(poll_interval=0.05)

    shared.inc_thread_sharing()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        shared.dec_thread_sharing()


@contextmanager
def left_open() -> Iterator[None]:
    """Let no request close the connection, which is in the middle of a transaction; a test's client does the same."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@pytest.fixture
def proxy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Provide the deployed proxy before the application, which trusts it as gunicorn lets it."""
    deployed = {
        "ALLOWED_HOSTS": [*settings.ALLOWED_HOSTS, HOST],
        "NUM_PROXIES": 1,
        "TRUSTED_PROXIES": ["127.0.0.1"],
    }
    kept = {"EDGE_REDIS_URL": settings.REDIS_URL, "PATH": os.defpath}
    with (
        override_settings(**deployed),
        application() as port,
        nginx(tmp_path_factory.mktemp("nginx"), application=port, with_edge=True, rate="5000r/s", **kept) as proxy,
    ):
        yield proxy


@pytest.mark.checklist(69)
@pytest.mark.timeout(300)
def test_whoever_asks_through_the_proxy_is_told_what_the_application_tells_them(world: World, proxy: Proxy) -> None:
    faults, compared, answered = [], set(), 0
    for op in READS:
        told = {actor: send(world, op, actor, HTTP_HOST=HOST) for actor in IN_TURN}
        for actor in IN_TURN:
            answer = asked(proxy, world, actor, url_of(world, op))
            answered += answer.status == 200
            if different(answer, told[actor]):
                faults.append(f"{op} tells {actor} {answer.status} {answer.text[:200]}, not {told[actor].status}")
        if len({str(each.says) for each in told.values()}) > 1:
            compared.add(str(op.route))

    assert not faults, "\n".join(faults)
    # Nearly all say something else to each, else there would be nothing to mix up; the first is mostly answered.
    assert len(compared) > len(READS) * 0.9
    assert answered > len(READS)


def asked(proxy: Proxy, world: World, actor: str, path: str) -> Answer:
    """Ask through the proxy as somebody."""
    token = world.clients[actor]._credentials.get("HTTP_AUTHORIZATION")
    said = {"Authorization": token} if token else {}
    response, body = proxy.ask_whole(path, said)
    return Answer(response.status, response.headers, body.decode(errors="backslashreplace"))


def different(answer: Answer, told: Answer) -> bool:
    """Say whether an answer is another one than the application's."""
    headers = [[each.headers.get(name) for name in COMPARED] for each in (answer, told)]
    return answer.status != told.status or headers[0] != headers[1] or answer.says != told.says
