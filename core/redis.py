"""Redis as everything here asks it: with a short patience, without a second try, and on the shortest way.

What every request asks goes through `QuickRedis.ask`, which takes an open connection, sends one command and reads one
answer, or through `QuickRedis.ask_along`, where what many requests ask travels together (`core.redis_rounds`). redis-py
opens and closes the connections; its own way to put a question on one looks at the socket first, tells instruments that
nobody here reads, and asks of each answer in how many languages it may have come: that is most of what a question costs
this process.
"""

import os
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha1
from typing import Any, cast

from hiredis import PushNotification, Reader, pack_command
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import DefaultParser
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import NoScriptError
from redis.retry import Retry

from core.redis_rounds import Rounds

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

    def send(self, commands: Iterable[tuple[Any, ...]]) -> None:
        """Send commands; raise `OSError`."""
        self.socket.sendall(b"".join(map(pack_command, commands)))

    def hear(self) -> Any:
        """Return the next answer, an exception where the server refuses; raise `RedisError` or `OSError`."""
        answer = _NOT_YET
        while answer is _NOT_YET or isinstance(answer, PushNotification):  # what nobody here asked for
            answer = self.reader.gets()
            if answer is _NOT_YET:
                arrived = self.socket.recv(READ_BYTES)
                if not arrived:
                    raise LostError("the server closed the connection")
                self.reader.feed(arrived)
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
        line = self.take()
        try:
            line.send([command])
            answer = line.hear()
        except BaseException:
            self.give_up(line)
            raise
        self.give_back(line)
        if isinstance(answer, Exception):  # the server refuses, the connection is sound
            raise answer
        return answer

    def ask_along(self, *command: Any) -> Any:
        """Ask something small along with what others ask at the same time; as `ask`.

        What the present block asks ahead (`asking_ahead`) travels with it.
        """
        ahead = _ahead.get()
        if ahead is None or ahead.client is not self:
            (answer,) = self._rounds.ask(command)
        elif ahead.answer is _NOT_YET and command != ahead.command:
            answer, ahead.answer = self._rounds.ask(command, ahead.command)
        elif ahead.answer is not _NOT_YET and command == ahead.command:
            answer, ahead.client = ahead.answer, None  # once
        else:
            (answer,) = self._rounds.ask(command)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextmanager
    def asking_ahead(self, script: "QuickScript", keys: Sequence[Any], arguments: Sequence[Any]) -> Generator[None]:
        """Let the first question of the block take another along, which `run` is then answered without a round.

        It is asked whether or not `run` is called, if there is a first question; one block within another is not meant.
        """
        token = _ahead.set(_Ahead(self, script.command(keys, arguments)))
        try:
            yield
        finally:
            _ahead.reset(token)

    def run(self, script: "QuickScript", keys: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """Run a script, which the server is told once, along with what others ask; as `ask`."""
        try:
            return self.ask_along(*script.command(keys, arguments))
        except NoScriptError:
            return self.ask("EVAL", script.text, len(keys), *keys, *arguments)

    @cached_property
    def _rounds(self) -> Rounds:
        return Rounds(self)

    def take(self) -> Line:
        """Return an open connection that nobody uses; raise `RedisError` or `OSError`."""
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

    def give_back(self, line: Line) -> None:
        """Take a connection back on which all went well."""
        line.idle_since = time.monotonic()
        self._idle.append(line)

    def give_up(self, line: Line) -> None:
        """Close a connection on which something went wrong, and the idle ones."""
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

    def command(self, keys: Sequence[Any], arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Return what asks a server that knows it to run it."""
        return ("EVALSHA", self.digest, len(keys), *keys, *arguments)


@dataclass
class _Ahead:
    """What is asked before somebody wants to know, and the answer; nobody's once it was told."""

    client: QuickRedis | None
    command: tuple[Any, ...]
    answer: Any = _NOT_YET


_ahead: ContextVar[_Ahead | None] = ContextVar("ahead", default=None)


@cache
def redis_at(url: str, *, patience: float) -> QuickRedis:
    """Return this process's client of the server at `url`, which waits `patience` seconds for an answer and raises.

    Whoever asks the same server shares it, so that their questions travel together.
    """
    client: Any = QuickRedis.from_url(
        url,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
        max_connections=MOST_CONNECTIONS,
    )
    return cast(QuickRedis, client)
