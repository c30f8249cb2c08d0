"""Asking clamd whether a content is harmful, by its command INSTREAM (clamd(8)): the bytes go there, no path does.

`CLAMD_URL` says where it listens: `tcp://host:port`, or `unix:///path` of a socket. A content that it does not take
whole is neither clean nor harmful.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from django.conf import settings

from files.models import LONGEST_FINDING, ScanState

BLOCK = 256 * 1024
LONGEST_ANSWER = 4096
CONNECT_SECONDS = 5
# A little longer than the scanner gives itself (`MaxScanTime` in deploy/clamav/clamd.conf).
SCAN_SECONDS = 150
# What it says of a content that it would not look at as a whole, with `AlertExceedsMax`.
_BEYOND_LIMITS = "Heuristics.Limits.Exceeded"


class ScannerUnavailableError(Exception):
    """The scanner does not answer, or not in time."""


@dataclass(frozen=True)
class Verdict:
    """What the scanner says of a content."""

    state: ScanState
    finding: str = ""


def scan(content: BinaryIO) -> Verdict:
    """Let the scanner look at a content; raise `ScannerUnavailableError` if it says nothing of it."""
    return _verdict(_asked(b"zINSTREAM\0", content))


def ping() -> None:
    """Raise `ScannerUnavailableError` unless the scanner is there."""
    if _asked(b"zPING\0") != "PONG":
        raise ScannerUnavailableError("The scanner does not answer as clamd does.")


def _verdict(answer: str) -> Verdict:
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return Verdict(ScanState.CLEAN)
    harm = said.removesuffix(" FOUND")
    if harm == said or harm.startswith(_BEYOND_LIMITS):
        return Verdict(ScanState.UNSCANNABLE, harm[:LONGEST_FINDING])
    return Verdict(ScanState.INFECTED, harm[:LONGEST_FINDING])


def _asked(command: bytes, content: BinaryIO | None = None) -> str:
    until = time.monotonic() + SCAN_SECONDS
    try:
        with _connection() as connection:
            # Where it hangs up before the end it may have said why.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(command)
                for block in _blocks(content):
                    connection.settimeout(_left(until))
                    connection.sendall(struct.pack("!L", len(block)) + block)
            return _answer(connection, until)
    except OSError as error:
        raise ScannerUnavailableError(f"{type(error).__name__}: {error}") from error


@contextmanager
def _connection() -> Iterator[socket.socket]:
    if not settings.CLAMD_URL:
        raise ConnectionError("CLAMD_URL names none")
    where = urlsplit(settings.CLAMD_URL)
    if where.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        connection = socket.create_connection((where.hostname, where.port), timeout=CONNECT_SECONDS)
    with closing(connection):
        if where.scheme == "unix":
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(where.path)
        yield connection


def _blocks(content: BinaryIO | None) -> Iterator[bytes]:
    """Yield a content in blocks, and the empty one that ends it."""
    while content is not None and (block := content.read(BLOCK)):
        yield block
    if content is not None:
        yield b""


def _answer(connection: socket.socket, until: float) -> str:
    answer = b""
    while not answer.endswith(b"\0"):
        connection.settimeout(_left(until))
        received = connection.recv(LONGEST_ANSWER)
        if not received or len(answer) > LONGEST_ANSWER:
            raise ConnectionError("no whole answer")
        answer += received
    return answer[:-1].decode("utf-8", "replace").strip()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left
