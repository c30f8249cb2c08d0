"""An answer's head and body, written to the socket at once.

gunicorn writes the head, and then each part of the body. To the system each write is a packet, and another time to wake
up whoever reads: for a short answer as much work as all that the application does for it.
"""

from typing import Any

from gunicorn import util
from gunicorn.http import wsgi


class AtOnceResponse(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's, which keeps the head until there is something to send with it."""

    sock: Any
    _held = b""

    def send_headers(self) -> None:
        """Hold the head, and whoever asks is told that it was sent: nothing else can take its place any more."""
        if self.headers_sent:
            return
        wire, self.sock = self.sock, self
        try:
            super().send_headers()
        finally:
            self.sock = wire

    def sendall(self, data: bytes) -> None:
        """Hold what would go to the socket."""
        self._held += data

    def _emit_body(self, data: bytes) -> None:
        if self.chunked:
            self._let_go()
            super()._emit_body(data)
        else:
            held, self._held = self._held, b""
            util.write(self.sock, held + data)

    def sendfile(self, respiter: Any) -> bool:
        """Send a file, if that can be done without reading it."""
        self.send_headers()
        self._let_go()
        return bool(super().sendfile(respiter))

    def close(self) -> None:
        """End the answer; one without a body is its head alone."""
        self.send_headers()
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            util.write(self.sock, held)


def answer_at_once() -> None:
    """Let gunicorn answer so in this process."""
    wsgi.Response = AtOnceResponse
