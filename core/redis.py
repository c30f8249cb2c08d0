"""Redis as everything here asks it: with a short patience, without a second try, and on the shortest way.

What every request asks goes through `QuickRedis.ask`, which takes an open connection, sends one command and reads one
answer. redis-py opens and closes the connections; its own way to put a question on one looks at the socket first,
tells instruments that nobody here reads, and asks of each answer in how many languages it may have come: that is most
of what a question costs this process.
"""

import os
import time
from collections.abc import Sequence
from hashlib import sha1
from typing import Any, cast

from hiredis import PushNotification, Reader, pack_command
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import DefaultParser
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import NoScriptError, ResponseError
from redis.retry import Retry

# More than a worker serves at once.
MOST_CONNECTIONS = 256
# A connection that was not used for longer is looked at before it is used again: a proxy may have closed it.
IDLE_SECONDS = 10.0
READ_BYTES = 1 << 16
_NOT_YET = object()


class Line:
    """An open connection of redis-py's, and what reads the answers that come on it."""

    __slots__ = ("connection", "idle_since", "pid", "reader", "socket")

    def __init__(self, connection: Any) -> None:  # the library leaves connections without types
        self.connection = connection
        self.socket = connection._sock
        self.reader = Reader(replyError=DefaultParser.parse_error, notEnoughData=_NOT_YET)
        self.pid = os.getpid()
        self.idle_since = 0.0

    def ask(self, command: tuple[Any, ...]) -> Any:
        """Send a command and return the answer; raise `RedisError` or `OSError`."""
        self.socket.sendall(pack_command(command))
        answer = _NOT_YET
        while answer is _NOT_YET or isinstance(answer, PushNotification):  # what nobody here asked for
            answer = self.reader.gets()
            if answer is _NOT_YET:
                arrived = self.socket.recv(READ_BYTES)
                if not arrived:
                    raise LostError("the server closed the connection")
                self.reader.feed(arrived)
        if isinstance(answer, Exception):
            raise answer
        return answer


class QuickRedis(Redis):
    """A client that also answers to `ask` and `run`, on open connections of their own.

    Nothing is tried twice. A connection on which something went wrong is closed, and the idle ones with it, since
    whatever closed one has closed all; the next question opens another.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The last one to come back is the first to go; both are one step, whichever thread takes it.
        self._idle: list[Line] = []

    def ask(self, *command: Any) -> Any:
        """Send a command and return the answer as it comes, which is bytes, numbers and lists of them.

        Raises `RedisError` or `OSError`.
        """
        line = self._taken()
        try:
            answer = line.ask(command)
        except ResponseError:  # the server refuses, the connection is sound
            self._give_back(line)
            raise
        except BaseException:
            self._give_up(line)
            raise
        self._give_back(line)
        return answer

    def run(self, script: "QuickScript", keys: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """Run a script, which the server is told once; raise what `ask` raises."""
        try:
            return self.ask("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.ask("EVAL", script.text, len(keys), *keys, *arguments)

    def _taken(self) -> Line:
        oldest, own = time.monotonic() - IDLE_SECONDS, os.getpid()
        while (line := self._last_idle()) is not None:
            if line.pid != own:
                continue  # the parent process's, who goes on with it
            if line.idle_since >= oldest:
                return line
            self.connection_pool.release(line.connection)
        return Line(self.connection_pool.get_connection())

    def _last_idle(self) -> Line | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _give_back(self, line: Line) -> None:
        line.idle_since = time.monotonic()
        self._idle.append(line)

    def _give_up(self, line: Line) -> None:
        last: Line | None = line
        while last is not None:
            last.connection.disconnect()
            self.connection_pool.release(last.connection)
            last = self._last_idle()


class QuickScript:
    """A script and the digest by which a server that knows it is asked to run it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


def redis_at(url: str, *, patience: float) -> QuickRedis:
    """Return a client of the server at `url` that waits `patience` seconds for an answer and then raises."""
    client: Any = QuickRedis.from_url(
        url,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
        max_connections=MOST_CONNECTIONS,
    )
    return cast(QuickRedis, client)
