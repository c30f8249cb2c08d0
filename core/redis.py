"""Redis as everything here asks it: with a short patience, without a second try, and on the shortest way.

What every request asks goes through `QuickRedis.ask`, which takes an open connection, sends one command and reads one
answer. redis-py's own way to the same connection looks at the socket first, and tells instruments that nobody here
reads: that is most of what a question costs this process.
"""

import os
import time
from collections.abc import Sequence
from hashlib import sha1
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError
from redis.retry import Retry

# More than a worker serves at once.
MOST_CONNECTIONS = 256
# A connection that was not used for longer is looked at before it is used again: a proxy may have closed it.
IDLE_SECONDS = 10.0


class QuickRedis(Redis):
    """A client that also answers to `ask` and `run`, on open connections of their own.

    Nothing is tried twice. A connection on which something went wrong is closed, and the idle ones with it, since
    whatever closed one has closed all; the next question opens another.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Connections, which the library leaves without types, and when each was used. The last one to come back is the
        # first to go; both are one step, whichever thread takes it.
        self._idle: list[tuple[Any, float]] = []

    def ask(self, *command: Any) -> Any:
        """Send a command and return the answer as it comes, which is bytes, numbers and lists of them.

        Raises `RedisError` or `OSError`.
        """
        connection = self._taken()
        try:
            connection.send_command(*command)
            answer = connection.read_response()
        except ResponseError:  # the server refuses, the connection is sound
            self._idle.append((connection, time.monotonic()))
            raise
        except BaseException:
            self._give_up(connection)
            raise
        self._idle.append((connection, time.monotonic()))
        return answer

    def run(self, script: "QuickScript", keys: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """Run a script, which the server is told once; raise what `ask` raises."""
        try:
            return self.ask("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.ask("EVAL", script.text, len(keys), *keys, *arguments)

    def _taken(self) -> Any:
        oldest, own = time.monotonic() - IDLE_SECONDS, os.getpid()
        while (last := self._last_idle()) is not None:
            connection, since = last
            if connection.pid != own:
                continue  # the parent process's, who goes on with it
            if since >= oldest:
                return connection
            self.connection_pool.release(connection)
        return self.connection_pool.get_connection()

    def _last_idle(self) -> tuple[Any, float] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _give_up(self, connection: Any) -> None:
        last: tuple[Any, float] | None = (connection, 0)
        while last is not None:
            last[0].disconnect()
            self.connection_pool.release(last[0])
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
