"""The proxy as it is deployed, on ports and in folders of a test's own: real nginx, with the edge or without."""

import http.client
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from campushub360.local import CHECKOUT
from campushub360.local.engine import free_port
from campushub360.local.packages import find_program
from tests.local.conftest import eventually
from tests.local.test_gunicorn import HOST

MODULES = Path("/usr/lib/nginx/modules")


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

    def send(self, request: bytes, *, source: str = "127.0.0.1") -> bytes:
        """Send bytes as they are, and return everything that comes until nginx has no more to say."""
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        received = b""
        with (
            socket.create_connection(("localhost", self.tls_port), timeout=60, source_address=(source, 0)) as plain,
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


def configured(proxy: Proxy, *, application: int, with_edge: bool, rate: str) -> Path:
    """Write the deployment's nginx.conf with the ports and folders of this machine in place of the containers'."""
    folder = proxy.folder
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    changes = {
        "server app:8000 ": f"server 127.0.0.1:{application} ",
        "listen 443 ": f"listen 127.0.0.1:{proxy.tls_port} ",
        "listen 80;": f"listen 127.0.0.1:{proxy.plain_port};",
        "listen 127.0.0.1:8080;": f"listen 127.0.0.1:{free_port()};",
        "/etc/nginx/tls/": f"{folder}/",
        "/etc/nginx/edge/": f"{folder}/edge/",
        "/srv/campushub360": f"{folder}/collected",
        "rate=50r/s": f"rate={rate}",
        "pid /tmp/nginx.pid;": f"pid {folder}/nginx.pid;",
        "include mime.types;": "include /etc/nginx/mime.types;",
        "error_log /dev/stderr warn;": f"error_log {folder}/error.log warn;",
        "access_log /dev/stdout main;": f"access_log {folder}/access.log main;"
        + "".join(f" {kind}_temp_path {folder}/{kind};" for kind in temporary),
    }
    file = folder / "nginx.conf"
    file.write_text(_changed((CHECKOUT / "nginx.conf").read_text(), changes))
    if with_edge:
        for part in (CHECKOUT / "deploy" / "edge").glob("edge*"):
            text = part.read_text().replace("/etc/nginx/edge/", f"{folder}/edge/")
            (folder / "edge" / part.name).write_text(text.replace("/tmp/edge-cache", f"{folder}/kept"))  # noqa: S108 - what it is in the container
    return file


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for theirs, ours in changes.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    return text


@contextmanager
def nginx(
    folder: Path, *, application: int, with_edge: bool, rate: str = "50r/s", **environment: str
) -> Iterator[Proxy]:
    """Run the deployed proxy before a server, and end it; it has no more in its environment than is named."""
    folder.chmod(0o755)
    for name in ("edge", "collected"):
        (folder / name).mkdir()
    # Where Debian's list of modules looks for them.
    (folder / "modules").symlink_to(MODULES)
    certify(folder)
    proxy = Proxy(free_port(), free_port(), folder)
    file = configured(proxy, application=application, with_edge=with_edge, rate=rate)
    # Workers of another user would not get into the folders of the tests.
    user = "user root;" if os.geteuid() == 0 else ""
    command = [str(find_program("nginx")), "-c", str(file), "-p", str(folder), "-g", f"daemon off; {user}"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        is_running = eventually(lambda: server.poll() is not None or is_up(proxy), seconds=30) and server.poll() is None
        assert is_running, server.communicate(timeout=1)
        yield proxy
    finally:
        server.terminate()
        server.communicate(timeout=60)


def is_up(proxy: Proxy) -> bool:
    """Say whether it answers, for the server behind it or that there is none."""
    try:
        return proxy.ask("/livez").status in (200, 503)
    except OSError:
        return False
