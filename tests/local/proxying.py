"""The proxy as it is deployed, on ports and in folders of a test's own: real nginx, with the edge or without."""

import http.client
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from campushub360.local.engine import free_port
from campushub360.local.packages import find_program
from campushub360.local.stack.addresses import Addresses
from campushub360.local.stack.nginx import lay_out
from tests.local.conftest import eventually
from tests.local.test_gunicorn import HOST


@dataclass(frozen=True)
class Proxy:
    """An nginx of the test's own, and how it is asked."""

    tls_port: int
    plain_port: int
    folder: Path
    metrics_port: int = field(default_factory=free_port)

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

    def ask_whole(self, path: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask, and return the body as well."""
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        with closing(http.client.HTTPSConnection("localhost", self.tls_port, context=context, timeout=60)) as tls:
            tls.request("GET", path, headers={"Host": HOST, **headers})
            response = tls.getresponse()
            return response, response.read()

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

    def metrics(self) -> list[str]:
        """Return the lines that the edge tells operators."""
        with closing(http.client.HTTPConnection("localhost", self.metrics_port, timeout=60)) as plain:
            plain.request("GET", "/metrics")
            return plain.getresponse().read().decode().splitlines()

    def ask_plainly(
        self, path: str, headers: dict[str, str] | None = None, *, port: int | None = None
    ) -> http.client.HTTPResponse:
        with closing(http.client.HTTPConnection("localhost", port or self.plain_port, timeout=60)) as plain:
            return _answer(plain, "GET", path, headers, None)


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str] | None, body: bytes | None
) -> http.client.HTTPResponse:
    connection.request(method, path, body=body, headers={"Host": HOST, **(headers or {})})
    response = connection.getresponse()
    response.read()
    return response


@contextmanager
def nginx(
    folder: Path,
    *,
    application: int | tuple[int, ...],
    weights: tuple[int, ...] = (),
    with_edge: bool,
    rate: str = "50r/s",
    says: str = "crit",
    **environment: str,
) -> Iterator[Proxy]:
    """Run the deployed proxy before a server, and end it; it has no more in its environment than is named.

    `says` is from which level on it tells of single requests in its error log.
    """
    folder.chmod(0o755)
    (folder / "collected").mkdir()
    proxy = Proxy(free_port(), free_port(), folder)
    ports = {"edge": proxy.tls_port, "edge-plain": proxy.plain_port, "edge-alive": free_port()}
    ports["edge-metrics"] = proxy.metrics_port
    servers = application if isinstance(application, tuple) else (application,)
    file = lay_out(folder, Addresses(ports, servers, weights), with_edge=with_edge)
    file.write_text(
        file.read_text().replace("rate=50r/s", f"rate={rate}").replace("error.log crit", f"error.log {says}")
    )
    # Workers of another user would not get into the folders of the tests.
    user = "user root;" if os.geteuid() == 0 else ""
    command = [
        str(find_program("nginx")),
        "-c",
        str(file),
        "-p",
        str(folder),
        "-g",
        f"daemon off; worker_processes auto; {user}",
    ]
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
