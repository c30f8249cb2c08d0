"""HTTP/1.1 over one connection that is kept open: quick enough that the stack is what is waited for."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

LARGEST_HEAD = 64 * 1024
PATIENCE_SECONDS = 30.0


class LostError(Exception):
    """The connection ended before the answer did: whether the request had an effect is not known."""


@dataclass(frozen=True)
class Door:
    """A place that answers: the edge by TLS, an application server in the clear."""

    port: int
    certificate: Path | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.certificate is None:
            return await asyncio.open_connection("127.0.0.1", self.port, limit=LARGEST_HEAD)
        context = ssl.create_default_context(cafile=str(self.certificate))
        return await asyncio.open_connection("localhost", self.port, ssl=context, limit=LARGEST_HEAD)


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_refused_for_now(self) -> bool:
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE and int(self.headers.get("retry-after", "0")) > 0


class Wire:
    """One connection to a door, opened when it is needed."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, token: str, *, body: bytes = b"", **headers: str) -> Answer:
        """Ask once, names of headers written with underscores; raise `LostError` where no whole answer comes.

        A connection that was closed while nobody used it is replaced without a word.
        """
        lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Authorization: Bearer {token}"] * bool(token)
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] * (method != "GET")
        try:
            # Unlike `wait_for`, it lets nobody who is cancelled just as the answer comes go on.
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            raise LostError(f"{type(error).__name__}: {error}") from error

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is not None and (self._streams[0].at_eof() or self._streams[1].is_closing()):
            self.close()
        if self._streams is None:
            self._streams = await self._door.open()
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        status = int(head[0].split(" ", 2)[1])
        length = 0 if status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) else int(headers["content-length"])
        answer = Answer(status, headers, await reader.readexactly(length))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()  # nobody waits for goodbyes
            self._streams = None


def now() -> float:
    """Return the instant by the one clock that writes and reads are compared on."""
    return time.monotonic()
