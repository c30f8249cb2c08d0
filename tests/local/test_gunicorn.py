"""The production server as it starts: whom it believes, and what it says when everything behind it is away."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from campushub360.local import CHECKOUT
from tests.local.conftest import eventually, free_port
from tests.local.test_production_settings import SAFE

pytestmark = [pytest.mark.slow, pytest.mark.checklist(50, 73)]

HOST = SAFE["ALLOWED_HOSTS"]
INSIDE, OUTSIDE = "10.1.2.3", "198.51.100.7"
# Nothing listens there: neither the database nor a Redis answers.
AWAY = {
    "DATABASE_URL": "postgres://campushub360:d41f7a9c@127.0.0.1:1/campushub360",
    "REDIS_URL": "redis://:5b0c2f7d@127.0.0.1:1/0",
    "REDIS_STATE_URL": "redis://:9e8a41c6@127.0.0.1:2/0",
}
LISTS = {"IP_ALLOW_LIST": "/admin/=10.0.0.0/8;/health/=10.0.0.0/8;/livez=127.0.0.0/8 10.0.0.0/8", "NUM_PROXIES": "1"}


@contextmanager
def gunicorn(*, log: Path | None = None, **environment: str) -> Iterator[int]:
    """Run the production server with nothing behind it, and what it says in a file; give its port."""
    with gunicorn_process(log=log, **environment) as (_, port):
        yield port


@contextmanager
def gunicorn_process(*, log: Path | None = None, **environment: str) -> Iterator[tuple[psutil.Process, int]]:
    """The same, giving the master beside the port."""
    port = free_port()
    variables = {
        **SAFE,
        **AWAY,
        **LISTS,
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
        "DJANGO_SETTINGS_MODULE": "campushub360.settings.production",
        "PATH": os.environ["PATH"],
        **environment,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "campushub360/gunicorn.py"]
    with (log or Path(os.devnull)).open("wb") as output:
        server = subprocess.Popen(command, cwd=CHECKOUT, env=variables, stdout=output, stderr=subprocess.STDOUT)
    try:
        assert eventually(lambda: server.poll() is None and answers(port), seconds=60)
        yield psutil.Process(server.pid), port
    finally:
        server.terminate()
        server.wait(timeout=60)


def answers(port: int) -> bool:
    try:
        return ask(port, "/livez", {"X-Forwarded-For": "127.0.0.1"}).status == 200
    except OSError:
        return False


def ask(port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> http.client.HTTPResponse:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.putrequest(method, path, skip_host=True)
        for name, value in {"Host": HOST, **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        return response


@pytest.fixture(scope="module")
def unproxied() -> Iterator[int]:
    """A server that trusts a proxy elsewhere, asked past it."""
    with gunicorn(FORWARDED_ALLOW_IPS="192.0.2.10") as port:
        yield port


@pytest.fixture(scope="module")
def proxied() -> Iterator[int]:
    """A server that trusts whoever asks here, as it trusts nginx."""
    with gunicorn(FORWARDED_ALLOW_IPS="127.0.0.1") as port:
        yield port


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "Forwarded", "REMOTE_ADDR"])
def test_an_address_that_no_proxy_of_ours_wrote_opens_nothing(unproxied: int, name: str) -> None:
    assert ask(unproxied, "/health/", {name: INSIDE}).status == 403


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Ssl", "X-Url-Scheme"])
def test_nobody_else_makes_a_request_pass_for_https(unproxied: int, name: str) -> None:
    assert ask(unproxied, "/livez", {name: "https"}).getheader("Strict-Transport-Security") is None


def test_the_proxy_says_where_a_request_comes_from_and_how(proxied: int) -> None:
    inside = ask(proxied, "/livez", {"X-Forwarded-For": INSIDE, "X-Forwarded-Proto": "https"})
    outside = ask(proxied, "/livez", {"X-Forwarded-For": f"{INSIDE}, {OUTSIDE}", "X-Forwarded-Proto": "https"})

    assert (inside.status, outside.status) == (200, 403)
    assert inside.getheader("Strict-Transport-Security") == "max-age=31536000; includeSubDomains; preload"
    assert outside.getheader("Strict-Transport-Security") == "max-age=31536000; includeSubDomains; preload"


@pytest.mark.checklist(51)
@pytest.mark.parametrize("headers", [{"X-Forwarded-Host": "evil.example"}, {"Host": "evil.example"}])
def test_no_claimed_host_gets_into_an_answer(proxied: int, headers: dict[str, str]) -> None:
    plain = ask(proxied, "/", headers)
    response = ask(proxied, "/", {"X-Forwarded-Proto": "https", **headers})

    assert "evil" not in str([*plain.getheaders(), *response.getheaders()])
    assert (plain.status, response.status) == ((400, 400) if "Host" in headers else (301, 302))


@pytest.mark.checklist(49)
def test_with_everything_behind_it_away_requests_are_refused_and_bounded(proxied: int) -> None:
    guesses = [ask(proxied, "/api/v1/auth/me/", {"X-Forwarded-For": OUTSIDE}) for _ in range(3)]
    bounded = [ask(proxied, "/api/v1/auth/token/", {"X-Forwarded-For": "198.51.100.8"}) for _ in range(40)]

    assert {response.status for response in guesses} == {401}
    assert bounded[0].status == 405
    assert [response.status for response in bounded].count(429) >= 9
    assert bounded[-1].getheader("Retry-After")


@pytest.mark.checklist(72)
def test_trace_is_off(proxied: int) -> None:
    assert ask(proxied, "/livez", {"X-Forwarded-For": INSIDE}, method="TRACE").status == 405


HEAD = f"POST /livez HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-For: {INSIDE}\r\n"
HIDDEN = f"GET /readyz HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-For: {INSIDE}\r\n\r\n"
# Requests whose length two servers could read in two ways.
AMBIGUOUS = {
    "two lengths": f"{HEAD}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a length and chunks": f"{HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a coding that is none": f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "chunked and not the last": f"{HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a blank before the colon": f"{HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a folded line": f"{HEAD}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a length with a sign": f"{HEAD}Content-Length: +0\r\n\r\n{HIDDEN}",
    "a chunk of no size": f"{HEAD}Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n{HIDDEN}",
    "two hosts": f"{HEAD}Host: evil.example\r\nContent-Length: 0\r\n\r\n",
}


def answered_to(port: int, request_: str) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as connection:
        connection.sendall(request_.encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ("GET / HTTP/9.9\r\n\r\n", 400, "parse_error"),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nbad header: x\r\n\r\n", 400, "parse_error"),
        (f"GET /{'a' * 8190} HTTP/1.1\r\nHost: {HOST}\r\n\r\n", 414, "payload_too_large"),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Long: {'a' * 8190}\r\n\r\n", 431, "payload_too_large"),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\n" + "X-Many: a\r\n" * 70 + "\r\n", 431, "payload_too_large"),
    ],
    ids=["version", "name of a header", "address", "header", "headers"],
)
def test_what_is_no_request_is_refused_in_the_words_of_the_api(
    proxied: int, request_: str, status: int, code: str
) -> None:
    head, _, body = answered_to(proxied, request_).partition(b"\r\n\r\n")

    problem = json.loads(body)
    assert (problem["status"], problem["code"], problem["success"]) == (status, code, False)
    assert head.split()[1] == str(status).encode()
    assert b"Content-Type: application/problem+json" in head
    assert f"X-Request-ID: {problem['request_id']}".encode() in head


@pytest.mark.parametrize("request_", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_hides_no_other(proxied: int, request_: str) -> None:
    answered = answered_to(proxied, request_)

    statuses = [line.split()[1] for line in answered.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    # The hidden one would be answered 503, with everything behind it away.
    assert set(statuses) <= {b"400", b"405", b"411"}


def test_whoever_was_let_in_is_answered_by_workers_that_end() -> None:
    request = f"POST /livez HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-For: {INSIDE}\r\nContent-Length: 0\r\n\r\n".encode()
    with gunicorn_process(WEB_CONCURRENCY="2") as (master, port), ExitStack() as held:
        workers = master.children()
        for worker in workers:
            worker.suspend()
        waiting = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)) for _ in range(20)]
        for connection in waiting:
            connection.sendall(request)
        # Longer than a worker sleeps between two looks at whether it is to end.
        time.sleep(1.2)
        for worker in workers:
            worker.terminate()
            worker.resume()
        master.terminate()

        answered = [b"".join(iter(partial(connection.recv, 65536), b"")) for connection in waiting]

    assert {answer.partition(b"\r\n")[0] for answer in answered} == {b"HTTP/1.1 405 Method Not Allowed"}
