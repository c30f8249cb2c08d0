"""A program that listens for calls (HTTP), keeps them, and answers as a test says."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[BaseHTTPRequestHandler], None]


class Listener(ThreadingHTTPServer):
    """Keeps the paths, headers and bodies of the calls it was sent."""

    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", *, context: ssl.SSLContext | None = None) -> None:
        super().__init__((address, 0), _Call)
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        self.say: Say | None = None
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "http" if context is None else "https"

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who went away."""


class _Call(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.calls.append((self.path, headers, body))
        if self.server.say is not None:
            self.server.say(self)
            return
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url(path="/elsewhere"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Write no log."""


def drip(call: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time and never come to an end."""
    for _ in range(200):
        call.wfile.write(b"H")
        call.wfile.flush()
        time.sleep(0.05)


def flood(call: BaseHTTPRequestHandler) -> None:
    """Answer without an end."""
    call.send_response(200)
    call.end_headers()
    while True:
        call.wfile.write(b"x" * 65536)


@contextmanager
def listening(address: str = "127.0.0.1", *, context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """Keep a program listening."""
    with Listener(address, context=context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
