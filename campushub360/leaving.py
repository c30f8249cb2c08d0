"""A worker that ends answers everybody who has been let in.

The system takes connections in before the worker does, and resets those that still wait when it closes the door.
nginx asks another replica then, but not for a write that it has sent already: that may have been done.
"""

from typing import Any

from gevent.server import StreamServer
from gevent.socket import socket
from gunicorn.workers import ggevent


class Door(socket):  # type: ignore[misc]  # gevent has no types
    """A listening socket that still knows its address when it is closed, as who came in by it is asked for that."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._name = super().getsockname()

    def getsockname(self) -> Any:
        """Return the address that it listens on, or listened on."""
        return self._name


class EmptyingServer(StreamServer):  # type: ignore[misc]  # gevent has no types
    """gevent's, which lets in whoever waits before it closes."""

    def close(self) -> None:
        """Serve who waits, as far as there is room, and let nobody else in."""
        if self.started and not self.closed:
            while not self.full() and (waiting := self.do_read()):
                self.do_handle(*waiting)
        super().close()


class LeavingWorker(ggevent.GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gevent worker that leaves nobody waiting."""

    sockets: list[Any]

    def patch(self) -> None:
        """Make the listening sockets such that remember their address."""
        super().patch()
        self.sockets = [Door(each.family, each.type, fileno=each.detach()) for each in self.sockets]

    def run(self) -> None:
        """Serve until told to end, and then who waits."""
        ggevent.StreamServer = EmptyingServer
        super().run()
