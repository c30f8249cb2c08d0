"""The proxy as it is deployed: what it says itself, and what it lets a client claim. Real nginx, real gunicorn."""

import http.client
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from campushub360.local.engine import free_port
from tests.local.conftest import eventually
from tests.local.proxying import Proxy, nginx
from tests.local.test_gunicorn import HOST, INSIDE, gunicorn

LUA = "libnginx-mod-http-lua"
pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx")]

HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture(scope="module", params=["alone", pytest.param("edge", marks=pytest.mark.needs(LUA))])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Provide the deployed proxy before a server that trusts it: as it is alone, and with the edge."""
    folder = tmp_path_factory.mktemp("nginx")
    with (
        gunicorn(log=folder / "application.log", FORWARDED_ALLOW_IPS="127.0.0.1") as application,
        nginx(folder, application=application, with_edge=request.param == "edge") as proxy,
    ):
        yield proxy


def told(response: http.client.HTTPResponse) -> dict[str, list[str] | None]:
    return {name: response.headers.get_all(name) for name in HEADERS}


@pytest.mark.checklist(66, 72)
def test_what_nginx_says_itself_carries_the_headers_once(proxy: Proxy) -> None:
    answers = {
        404: proxy.ask("/metrics"),
        405: proxy.ask("/livez", method="TRACE"),
        413: proxy.ask("/api/v1/students/", method="POST", body=b" " * (2 << 20)),
        414: proxy.ask(f"/{'x' * 9000}"),
        301: proxy.ask_plainly("/"),
        403: proxy.ask_plainly("/api/v1/students/"),
        400: proxy.ask_plainly("/", port=proxy.tls_port),
    }

    assert {status: answer.status for status, answer in answers.items()} == {status: status for status in answers}
    for status, answer in answers.items():
        assert told(answer) == {name: [value] for name, value in HEADERS.items()}, status
        assert answer.getheader("Server") == "nginx", status


@pytest.mark.checklist(51)
def test_people_are_redirected_to_https_and_to_no_host_that_somebody_made_up(proxy: Proxy) -> None:
    known = proxy.ask_plainly("/admin/?next=/x")
    made_up = proxy.ask_plainly("/admin/", headers={"Host": "evil.example"})

    assert (known.status, known.getheader("Location")) == (301, f"https://{HOST}/admin/?next=/x")
    assert (made_up.status, made_up.getheader("Location")) == (400, None)
    for inside in ("/edge/", "/metrics", "/readyz", "/livez", "/health/"):
        assert proxy.ask_plainly(inside).status == 404, inside


@pytest.mark.checklist(66)
def test_what_the_application_says_carries_each_header_once_as_well(proxy: Proxy) -> None:
    answer = proxy.ask("/api/v1/students/")

    assert answer.status == 401
    assert all(len(values or []) == 1 for values in told(answer).values()), told(answer)


@pytest.mark.checklist(50)
@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X_Forwarded_For"])
def test_a_claimed_address_opens_nothing_through_the_proxy(proxy: Proxy, name: str) -> None:
    assert proxy.ask("/livez").status == 200
    assert proxy.ask("/admin/login/", {name: INSIDE}).status == 403
    assert proxy.ask("/admin/login/", {name: f"for={INSIDE}"}).status == 403


@pytest.mark.checklist(74)
@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_machines_inside_ask_is_not_answered_outside(proxy: Proxy, path: str) -> None:
    answer = proxy.ask(path)

    assert (answer.status, answer.getheader("X-Request-ID")) == (404, None)


@pytest.mark.checklist(51)
def test_a_claimed_host_gets_into_no_answer_through_the_proxy(proxy: Proxy) -> None:
    answer = proxy.ask("/", {"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "666"})

    assert "evil" not in str(answer.getheaders())
    assert "666" not in str(answer.getheaders())


@pytest.mark.checklist(67)
def test_the_application_learns_that_the_connection_is_encrypted(proxy: Proxy) -> None:
    assert proxy.ask("/livez", {"X-Forwarded-Proto": "http"}).getheader("Strict-Transport-Security")
    assert proxy.ask_plainly("/api/v1/auth/me/").status == 403


HIDDEN = b"GET /api/v1/auth/me/?hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = {
    "both lengths": (b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "both lengths, the other first": (b"Transfer-Encoding: chunked\r\nContent-Length: 4", b"0\r\n\r\n" + HIDDEN),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: %d" % len(HIDDEN), HIDDEN),
    "a list of lengths": (b"Content-Length: 0, %d" % len(HIDDEN), HIDDEN),
    "a signed length": (b"Content-Length: +0", HIDDEN),
    "a length in words": (b"Content-Length: 0x0", HIDDEN),
    "a coding nobody knows": (b"Transfer-Encoding: xchunked", b"0\r\n\r\n" + HIDDEN),
    "a coding twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"0\r\n\r\n" + HIDDEN),
    "a space before the colon": (b"Transfer-Encoding : chunked", b"0\r\n\r\n" + HIDDEN),
    "a folded line": (b"X-Folded: a\r\n Transfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "a folded coding": (b"Transfer-Encoding:\r\n chunked", b"0\r\n\r\n" + HIDDEN),
    "a bare return": (b"X-Bare: a\rTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "two hosts": (b"Host: elsewhere.example", HIDDEN),
    "a chunk that is no number": (b"Transfer-Encoding: chunked", b"zz\r\n" + HIDDEN + b"0\r\n\r\n"),
}


@pytest.mark.checklist(71)
@pytest.mark.parametrize(("lines", "body"), SMUGGLED.values(), ids=SMUGGLED)
def test_nothing_is_smuggled_past_the_proxy(proxy: Proxy, lines: bytes, body: bytes) -> None:
    """Two servers that disagree about where a request ends would answer the hidden one to whoever comes next."""
    start = b"POST /api/v1/auth/token/ HTTP/1.1\r\nHost: " + HOST.encode()

    answer = proxy.send(start + b"\r\n" + lines + b"\r\n\r\n" + body)

    assert re.match(rb"HTTP/1.1 (400|411|501) ", answer), answer[:200]
    assert proxy.ask("/livez").status == 200
    assert (proxy.folder / "application.log").read_text().count("hidden") == 0


@pytest.mark.checklist(71)
def test_what_follows_a_request_on_its_connection_is_a_request_to_both_servers(proxy: Proxy) -> None:
    """The corpus above looks for this in the log, so it has to be found there where it may stand."""
    host = HOST.encode()
    plain = HIDDEN.replace(b"Host: x", b"Host: " + host).replace(b"hidden", b"plain")

    answers = proxy.send(b"GET /livez HTTP/1.1\r\nHost: " + host + b"\r\n\r\n" + plain)

    assert answers.count(b"HTTP/1.1 ") == 2
    assert eventually(lambda: (proxy.folder / "application.log").read_text().count("plain") == 1)


def test_a_client_that_asks_too_often_is_refused_before_the_application(proxy: Proxy) -> None:
    """From an address of its own, since nginx counts by address: nobody else is refused for it."""
    put(proxy, "often.css")
    request = b"GET /static/often.css?search=canary HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n"

    answers = proxy.send((request + b"\r\n") * 900 + request + b"Connection: close\r\n\r\n", source="127.0.0.2")

    assert answers.count(b"HTTP/1.1 200 ") >= 600
    assert answers.count(b"HTTP/1.1 429 ") > 0
    assert proxy.ask("/livez").status == 200
    assert eventually(lambda: "often.css" in logs_of(proxy))  # which is written in blocks
    assert "canary" not in logs_of(proxy)


def logs_of(proxy: Proxy) -> str:
    return "".join((proxy.folder / name).read_text() for name in ("access.log", "error.log"))


def put(proxy: Proxy, name: str) -> None:
    """Collect a file."""
    folder = proxy.folder / "collected" / "static"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("p {}")


def document(proxy: Proxy, path: str, **asked: Any) -> tuple[int, str | None, str, int]:
    context = ssl.create_default_context(cafile=str(proxy.folder / "fullchain.pem"))
    with closing(http.client.HTTPSConnection("localhost", proxy.tls_port, context=context, timeout=60)) as tls:
        tls.request(asked.get("method", "GET"), path, headers={"Host": HOST})
        response = tls.getresponse()
        told = json.load(response)
    assert response.getheader("Content-Type") == "application/problem+json"
    assert told.keys() >= {"type", "title", "detail", "success", "message", "errors", "request_id", "timestamp"}
    return response.status, response.getheader("Retry-After"), told["code"], told["status"]


def test_what_nginx_refuses_is_told_as_the_application_tells_it(proxy: Proxy) -> None:
    assert document(proxy, "/metrics") == (404, None, "not_found", 404)
    assert document(proxy, "/edge/") == (404, None, "not_found", 404)
    assert document(proxy, "/livez", method="TRACE") == (405, None, "method_not_allowed", 405)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 9000 + b"\r\n\r\n", 431, "payload_too_large"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            400,
            "parse_error",
        ),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400, "parse_error"),
    ],
    ids=["long header", "unknown encoding", "unknown version"],
)
def test_what_is_no_request_to_nginx_is_told_as_well(proxy: Proxy, request_: bytes, status: int, code: str) -> None:
    head, _, body = proxy.send(request_).partition(b"\r\n\r\n")

    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in head
    assert (json.loads(body)["code"], json.loads(body)["status"]) == (code, status)


def test_collected_files_are_served_without_the_application(proxy: Proxy) -> None:
    put(proxy, "page.0123456789ab.css")

    found = proxy.ask("/static/page.0123456789ab.css")

    assert (found.status, found.getheader("X-Request-ID")) == (200, None)
    assert "max-age=315360000" in str(found.getheader("Cache-Control"))
    assert proxy.ask("/static/../application.log").status in (400, 404)


def test_without_the_application_a_client_is_told_when_to_come_back(tmp_path: Path) -> None:
    with nginx(tmp_path, application=free_port(), with_edge=False) as proxy:
        assert document(proxy, "/api/v1/students/?search=canary") == (503, "2", "unavailable", 503)
        assert eventually(lambda: "/api/v1/students/" in logs_of(proxy))  # which is written in blocks
        assert "canary" not in logs_of(proxy)
