"""Answers that do not end: events for one listener, for as long as they listen (Server-Sent Events).

A stream waits most of its life, and holds nothing of the process but a greenlet and a socket while it does: no place
among the requests of its route (`core.api.bulkhead`), and no connection to a database. Whatever asks the database on a
stream calls `let_go` before it waits or writes.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections
from django.http import StreamingHttpResponse

EVENT_STREAM = "text/event-stream"
# A line that listeners ignore, by which proxies know that somebody is there.
HEARTBEAT = b": \n\n"
# What Linux tells of a connection (tcp(7)), whose first byte is this one while both sides speak.
TCP, TCP_INFO, ESTABLISHED = 6, 11, 1


class EventStream(StreamingHttpResponse):
    """An answer of events, which nobody keeps and no proxy holds back."""

    holds_connection = False

    def __init__(self, events: Iterable[bytes], *, at_end: Callable[[], None]) -> None:
        super().__init__(events, content_type=EVENT_STREAM)
        self["Cache-Control"] = "private, no-store"
        self["X-Accel-Buffering"] = "no"
        # Also of a stream that nobody has begun to read.
        closers: list[Callable[[], Any]] = vars(self)["_resource_closers"]
        closers.append(at_end)


def event(*, name: str, data: bytes, place: str = "") -> bytes:
    """Return an event as it is sent; `data` is JSON, which has no line breaks. Without a place, the last one stands."""
    identity = b"id: %s\n" % place.encode() if place else b""
    return identity + b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def opening(*, place: str, retry: float) -> bytes:
    """Return how a stream begins: where it does, and after how many seconds to come back when it ends."""
    return b"retry: %d\nid: %s\n\n" % (int(retry * 1000), place.encode())


def has_left(client: Any) -> bool:
    """Say whether whoever is at the other end of a socket has closed it, without reading from it.

    Where the system does not tell, the next heartbeat will: a write to somebody who has left fails.
    """
    if client is None or sys.platform != "linux":
        return False
    if client.fileno() < 0:
        return True
    try:
        state: bytes = client.getsockopt(TCP, TCP_INFO, 1)
    except OSError:  # no TCP
        return False
    return state[0] != ESTABLISHED


def let_go() -> None:
    """Give this thread's connections back to the pool."""
    for connection in connections.all(initialized_only=True):
        connection.close()
