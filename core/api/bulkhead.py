"""A share of each process's database connections that no single kind of request can take.

A request holds a connection from its first question to its end; a streamed answer, until it is closed. If one kind of
them becomes slow, a report, a list without the index it needs, rows that somebody has locked, it would soon hold every
connection of the pool, and requests that have nothing to do with it would be refused. So of each route only so many run
at once; the others of its kind wait for these, not for the database, and are told to come back when that takes as long
as the pool lets wait, or at once when a crowd is waiting already: a worker serves so many at a time, whatever they wait
for. What is answered from memory does not come so far.
"""

import threading
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from core.api.exceptions import ServiceUnavailable, answer_to

# What one kind of request may hold of the pool: three parts of four.
PARTS, OF = 3, 4
# So many of a kind may run and wait together: half of what a worker serves at once (`worker_connections`) but streams.
CROWD = 100
# Where a request keeps the room that it is in.
ROOM = "bulkhead_room"
# Where a request's environment says that it has waited for a place already, in vain.
WAITED = "campushub360.waited"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Room:
    """Where the requests of one route wait and run."""

    def __init__(self, places: int) -> None:
        self._crowd = threading.BoundedSemaphore(CROWD)
        self._places = threading.BoundedSemaphore(places)

    def enter(self, patience: float) -> bool:
        """Say whether there is a place, now or within so many seconds; whoever has one leaves it."""
        if not self._crowd.acquire(blocking=False):
            return False
        if self._places.acquire(timeout=patience):
            return True
        self._crowd.release()
        return False

    def leave(self) -> None:
        self._places.release()
        self._crowd.release()


class BulkheadMiddleware:
    """Lets of each route as many requests run at once as leave connections for the other routes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase | None = None
        try:
            response = self.get_response(request)
            return response
        finally:
            room = request.__dict__.pop(ROOM, None)
            if room is not None:
                _leave_after(response, room)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        room = room_of(request.resolver_match.route if request.resolver_match is not None else "")
        if request.META.pop(WAITED, False) or not room.enter(settings.DATABASE_POOL_TIMEOUT):
            return answer_to(request, ServiceUnavailable())
        request.__dict__[ROOM] = room
        return None


def _leave_after(response: HttpResponseBase | None, room: Room) -> None:
    """Leave a room once the request is over: what is streamed keeps its connection until it is closed."""
    if isinstance(response, StreamingHttpResponse) and getattr(response, "holds_connection", True):
        # Once, and at the latest when nobody has the answer any more.
        closers: list[Callable[[], Any]] = vars(response)["_resource_closers"]
        closers.append(weakref.finalize(response, room.leave))
    else:
        room.leave()


@cache
def room_of(route: str) -> Room:
    """Return where the requests of a route wait and run."""
    return Room(max(1, settings.DATABASE_POOL_SIZE * PARTS // OF))
