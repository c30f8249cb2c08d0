"""Listening to streams as programs do, over HTTP."""

import json
import selectors
import socket
import time
from collections.abc import Callable

from tests.local.test_gunicorn import HOST

URL = "/api/v1/notifications/stream/"


class Listener:
    """One stream, whose events a test reads as they come."""

    def __init__(self, port: int, authorization: str, last: str = "", *, through: socket.socket | None = None) -> None:
        self.socket = through or socket.create_connection(("127.0.0.1", port), timeout=60)
        self.authorization = authorization
        lines = [f"GET {URL} HTTP/1.1", f"Host: {HOST}", f"Authorization: {authorization}"]
        lines += ["Accept: text/event-stream", "Accept-Encoding: gzip, br"]
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
    def is_refused(self) -> bool:
        return len(self.text) > 12 and self.text[9:12] != b"200"

    @property
    def is_open(self) -> bool:
        return self.last != ""

    @property
    def titles(self) -> list[str]:
        told = [json.loads(line[6:]) for line in self._lines if line.startswith(b'data: {"id"')]
        return [each["title"] for each in told]

    @property
    def last(self) -> str:
        """The id of the last event that came as a whole, or nothing."""
        return next((line[4:].decode() for line in reversed(self._lines) if line.startswith(b"id: ")), "")

    @property
    def _lines(self) -> list[bytes]:
        return self.text.rpartition(b"\n\n")[0].splitlines()

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


class Follower:
    """Somebody who comes back whenever their stream ends, with the id of the last event that they have."""

    def __init__(self, port: int, authorization: str) -> None:
        self._port, self._authorization = port, authorization
        self._heard: list[str] = []
        self._last = ""
        self.returns = 0
        self.stream = Listener(port, authorization)

    @property
    def heard(self) -> list[str]:
        """The titles of all that they were told."""
        return [*self._heard, *self.stream.titles]

    def take(self) -> None:
        """Read what is there, and come back if that is the end."""
        try:
            goes_on = self.stream.take()
        except OSError:
            goes_on = False
        if not goes_on or self.stream.is_refused:
            self.come_back()

    def come_back(self) -> None:
        self._heard, self._last = self.heard, self.stream.last or self._last
        self.stream.socket.close()
        self.returns += 1
        self.stream = Listener(self._port, self._authorization, self._last)
