"""The proxy as it is deployed: what it says itself, and what it lets a client claim. Real nginx, real gunicorn."""

import http.client
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from campushub360.local import CHECKOUT
from campushub360.local.packages import find_program
from tests.local.conftest import eventually, free_port
from tests.local.test_gunicorn import HOST, INSIDE, gunicorn

NGINX = find_program("nginx")

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


@dataclass(frozen=True)
class Proxy:
    """An nginx of the test's own, and how it is asked."""

    tls_port: int
    plain_port: int
    folder: Path

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        source: str = "127.0.0.1",
    ) -> http.client.HTTPResponse:
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        with closing(
            http.client.HTTPSConnection(
                "localhost", self.tls_port, context=context, timeout=60, source_address=(source, 0)
            )
        ) as tls:
            return _answer(tls, method, path, headers, body)

    def send(self, request: bytes) -> bytes:
        """Send bytes as they are, and return everything that comes until nginx has no more to say."""
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        received = b""
        with (
            socket.create_connection(("localhost", self.tls_port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
            suppress(TimeoutError),
        ):
            tls.sendall(request)
            tls.settimeout(5)
            while more := tls.recv(65536):
                received += more
        return received

    def ask_plainly(self, path: str, *, port: int | None = None) -> http.client.HTTPResponse:
        with closing(http.client.HTTPConnection("localhost", port or self.plain_port, timeout=60)) as plain:
            return _answer(plain, "GET", path, None, None)


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str] | None, body: bytes | None
) -> http.client.HTTPResponse:
    connection.request(method, path, body=body, headers={"Host": HOST, **(headers or {})})
    response = connection.getresponse()
    response.read()
    return response


def certify(folder: Path) -> None:
    """Write a key and a certificate of its own for localhost, where nginx looks for them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def configured(folder: Path, *, application: int, proxy: Proxy) -> Path:
    """Write the deployment's nginx.conf with the ports and folders of this machine in place of the containers'."""
    text = (CHECKOUT / "nginx.conf").read_text()
    for theirs, ours in {
        "server app:8000 ": f"server 127.0.0.1:{application} ",
        "listen 443 ": f"listen 127.0.0.1:{proxy.tls_port} ",
        "listen 80;": f"listen 127.0.0.1:{proxy.plain_port};",
        "listen 127.0.0.1:8080;": f"listen 127.0.0.1:{free_port()};",
        "/etc/nginx/tls/": f"{folder}/",
        "pid /tmp/nginx.pid;": f"pid {folder}/nginx.pid;",
        "error_log /dev/stderr warn;": f"error_log {folder}/error.log warn;",
        "access_log /dev/stdout main;": "".join(
            [
                f"access_log {folder}/access.log main;",
                *(
                    f" {kind}_temp_path {folder}/{kind};"
                    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
                ),
            ]
        ),
    }.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Provide the deployed proxy before a server that trusts it."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    certify(folder)
    proxy = Proxy(free_port(), free_port(), folder)
    with gunicorn(log=folder / "application.log", FORWARDED_ALLOW_IPS="127.0.0.1") as application:
        file = configured(folder, application=application, proxy=proxy)
        command = [str(NGINX), "-c", str(file), "-p", str(folder), "-g", "daemon off;"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            assert eventually(lambda: is_up(proxy), seconds=30), server.communicate(timeout=1)
            yield proxy
        finally:
            server.terminate()
            server.communicate(timeout=60)


def is_up(proxy: Proxy) -> bool:
    try:
        return proxy.ask("/livez").status == 200
    except OSError:
        return False


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

    answers = proxy.send(
        b"GET /livez HTTP/1.1\r\nHost: " + host + b"\r\n\r\n" + HIDDEN.replace(b"Host: x", b"Host: " + host)
    )

    assert answers.count(b"HTTP/1.1 ") == 2
    assert eventually(lambda: (proxy.folder / "application.log").read_text().count("hidden") == 1)


def test_a_client_that_asks_too_often_is_refused_before_the_application(proxy: Proxy) -> None:
    """From an address of its own, since nginx counts by address: nobody else is refused for it."""
    assert any(proxy.ask("/livez", source="127.0.0.2").status == 429 for _ in range(2000))

    assert proxy.ask("/livez").status == 200
