"""A way to the cache on which what it says comes late, as it may to an edge on another host."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread

from tests.edge.running import Cache


@contextmanager
def heard_late(cache: Cache, seconds: float) -> Iterator[str]:
    """Return the URL of a cache that hears at once what it is asked, and is heard so many seconds late."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _begin(_listen, listener, cache.port, seconds)
        yield cache.url.replace(f":{cache.port}", f":{listener.getsockname()[1]}")


def _listen(listener: socket.socket, port: int, seconds: float) -> None:
    while True:
        asker, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        said: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        _begin(_pass_on, asker, server.sendall)
        _begin(_pass_on, server, lambda data, said=said: said.put((time.monotonic() + seconds, data)))  # type: ignore[misc]  # bound at once
        _begin(_say, said, asker)


def _pass_on(source: socket.socket, to: Callable[[bytes], None]) -> None:
    while data := source.recv(65536):
        to(data)
    to(b"")


def _say(said: SimpleQueue[tuple[float, bytes]], asker: socket.socket) -> None:
    while True:
        due, data = said.get()
        time.sleep(max(0.0, due - time.monotonic()))
        if not data:
            return asker.close()
        asker.sendall(data)


def _begin(work: Callable[..., None], *arguments: object) -> None:
    def until_closed() -> None:
        with suppress(OSError):
            work(*arguments)

    Thread(target=until_closed, daemon=True).start()
