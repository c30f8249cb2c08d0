"""Calls to addresses that somebody else named: to public ones alone, whatever names lead to.

A name is resolved once. Every address that it has must be public, and the connection goes to one that was looked at, so
a name server that answers differently the second time is not asked a second time. No redirect is followed, no proxy is
asked, and neither a slow nor an endless answer holds the caller: the whole call has one deadline, and of the answer
nothing but its status is kept (ASVS 1.3.6, CWE-918).
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from core.security.addresses import Address, is_within, read_address

SECONDS = 10.0
# A sensible answer is short; what is longer is neither read nor waited for.
LONGEST_ANSWER = 64 * 1024
LONGEST_URL = 500
FIRST_OPEN_PORT, HTTPS, HTTP = 1024, 443, 80
# What `is_global` lets through, at least in some versions, and is no host of somebody else's: translations and tunnels
# that carry another address, what a cloud answers its own machines at, and what is retired or for documentation.
APART = (
    *("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"),
    *("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
    *("fec0::/10", "::/96"),
)
_APART = tuple(map(ip_network, APART))


class UnusableUrlError(ValueError):
    """The URL is none that may be called; the message says why in a word."""


class CallError(Exception):
    """Nobody answered in time, or nobody who may; the message is the kind of failure and quotes nothing."""


@dataclass(frozen=True)
class Answer:
    """What became of a call that was answered."""

    status: int


def check_url(url: str) -> SplitResult:
    """Return the parts of a URL that may be called; raise `UnusableUrlError`.

    What its name leads to is looked at when it is called. An address in its place is looked at here as well.
    """
    if (
        len(url) > LONGEST_URL
        or not url.isascii()
        or any(character <= " " or character in "\\\x7f" for character in url)
    ):
        raise UnusableUrlError("characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnusableUrlError("form") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.OUTGOING_PLAIN_HTTP):
        raise UnusableUrlError("scheme")
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise UnusableUrlError("form")
    if port is not None and port not in (HTTPS, HTTP) and port < FIRST_OPEN_PORT:
        raise UnusableUrlError("port")
    address = read_address(parts.hostname)
    if address is not None and not is_callable(address):
        raise UnusableUrlError("address")
    return parts


def is_callable(address: Address) -> bool:
    """Say whether an address is a public host's, or one that the installation allows by name."""
    if is_within(address, settings.OUTGOING_ALLOWED_NETWORKS):
        return True
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address.version == each.version and address in each for each in _APART)


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
    """Send a body and return the answer's status; raise `UnusableUrlError` or `CallError`."""
    parts = check_url(url)
    deadline = time.monotonic() + seconds
    host = str(parts.hostname)
    port = parts.port or (HTTPS if parts.scheme == "https" else HTTP)
    try:
        with closing(_connected(_resolved(host, port), deadline)) as plain:
            if parts.scheme == "http":
                return _exchange(plain, parts, body, headers, deadline)
            with closing(_secured(plain, host, deadline)) as secured:
                return _exchange(secured, parts, body, headers, deadline)
    except (OSError, http.client.HTTPException) as error:
        raise CallError(type(error).__name__) from None


def _exchange(
    connected: socket.socket, parts: SplitResult, body: bytes, headers: Mapping[str, str], deadline: float
) -> Answer:
    asking = http.client.HTTPConnection(str(parts.hostname), parts.port)
    asking.sock = _Hurried(connected, deadline)
    asking.default_port = HTTPS if parts.scheme == "https" else HTTP  # what `Host` leaves out
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    asking.request("POST", target, body, {**headers, "Connection": "close"})
    with asking.getresponse() as response:
        response.read(LONGEST_ANSWER)
        return Answer(response.status)


def _resolved(host: str, port: int) -> list[Any]:
    """Ask once where a name leads, and return that if all of it is public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, where in found:
        address = read_address(str(where[0]))
        if address is None or not is_callable(address):
            raise CallError("AddressNotPublic")
    return found


def _connected(found: list[Any], deadline: float) -> socket.socket:
    """Connect to the first of these addresses that takes it, and to nothing else."""
    last: OSError = TimeoutError()
    for family, kind, protocol, _, where in found:
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(_left(deadline))
            plain.connect(where)
        except OSError as error:
            plain.close()
            last = error
        else:
            return plain
    raise last


def _secured(plain: socket.socket, host: str, deadline: float) -> ssl.SSLSocket:
    plain.settimeout(_left(deadline))
    context = ssl.create_default_context(cafile=settings.OUTGOING_CA_FILE or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(plain, server_hostname=host)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Hurried:
    """As much of a connection as HTTP needs; every wait on it ends at the deadline of the whole call.

    Whoever opened the connection closes it.
    """

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._connected, self._deadline = connected, deadline

    def sendall(self, data: Any) -> None:
        self.hurry().sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self))

    def close(self) -> None:
        """Leave that to whoever opened it: HTTP closes before it has read."""

    def hurry(self) -> socket.socket:
        """Return the connection, to be waited for no longer than until the deadline."""
        self._connected.settimeout(_left(self._deadline))
        return self._connected


class _Reading(io.RawIOBase):
    def __init__(self, source: _Hurried) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.hurry().recv_into(buffer)
