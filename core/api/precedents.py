"""Reads that were answered before, answered again ahead of Django: without its middleware, the routes and the view.

What they all decide about a request hangs on what it says of itself, on what the caller's generations stand for, and
on the day. So once a view has answered, that is kept as a precedent under a digest of everything that the request
said, with the headers that the answer left with. When the same is asked again, and the caller's generations are the
same, it is the same decision. The request is counted against its limits, logged and measured as ever, and the answer
comes from where the view had it from: from memory, by the generations of what it is made of (`core.api.remembered`),
or from the database, by the statement that it was made by (`core.api.repeated`). Whatever is not exactly so goes to
Django.

There are precedents for views with the usual rules alone, and for callers whom generations vouch for
(`accounts.selectors.user_of`), which is none who comes with an API key.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import setting_changed

from core.api import etag, remembered
from core.api.remembered import Decision
from core.api.throttling import COUNTED, demands_of, say_limits, spent
from core.cache.answers import Answer
from core.cache.generations import Reading
from core.cache.local import LocalCache
from core.logging import request_id
from core.middleware import name_request, record
from core.security.addresses import networks_for
from core.security.limiter import Verdict, limiter

MOST = 5_000
# As long as a caller is remembered (`accounts.selectors`), at most.
LONGEST = 60.0
# What each answer says for itself; the rest of the headers is the view's.
OWN = frozenset({"Content-Length", "ETag", "X-Cache", "X-Request-ID", "RateLimit", "RateLimit-Policy"})
# What only an answer with a body says.
OF_BODY = frozenset({"Content-Type", "Allow", remembered.KEPT})
# An answer that says one of these is like no other.
UNLIKE = frozenset({"Set-Cookie", "Server-Timing", "X-Edge-Raised"})
# Of what a request says of itself, all but its headers that matters.
SAID = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REMOTE_ADDR")
# Headers that decide nothing, or are looked at each time.
ASIDE = frozenset(
    {
        "HTTP_ACCEPT_ENCODING",
        "HTTP_CONNECTION",
        "HTTP_IF_NONE_MATCH",
        "HTTP_USER_AGENT",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_REQUEST_ID",
    }
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class Precedent:
    """What was decided, and the headers that the answer left with."""

    decision: Decision
    headers: Sequence[tuple[str, str]]

    def reading(self) -> Reading | None:
        """Return what is asked of the generations for the answer; None when it has to be decided anew."""
        decided = self.decision
        if decided.source.stamp != remembered.stamp():
            return None
        reading = remembered.reading_of([*decided.tags, *decided.source.tags])
        callers = len(decided.reading)
        if reading is None or reading[:callers] != decided.reading:
            return None
        return (reading[0], *reading[callers:])


_precedents: LocalCache[bytes, Precedent] = LocalCache(most=MOST, clock=time.monotonic)


@dataclass(frozen=True)
class Told:
    """An answer as it goes out."""

    status_code: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def status(self) -> str:
        """Return the status as a server is told it."""
        return f"{self.status_code} {HTTPStatus(self.status_code).phrase}"


class PrecedentApplication:
    """A WSGI application that answers what another one, Django's, has answered before."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = _name(environ)
        if name is None:
            return self._application(environ, start_response)
        told = _again(environ, name)
        if told is None:
            return self._application(environ, partial(_learn, name, environ, start_response))
        start_response(told.status, list(told.headers.items()))
        return [told.body]  # without Django's signal that a request has ended: whatever it held has ended


def _name(environ: Environ) -> bytes | None:
    """Return a digest of what a request says of itself; None for one that there are no precedents for."""
    if (
        environ["REQUEST_METHOD"] != "GET"
        or "HTTP_AUTHORIZATION" not in environ
        or environ.get("CONTENT_LENGTH") not in {None, "", "0"}
        or "HTTP_TRANSFER_ENCODING" in environ
    ):
        return None
    said = [environ.get(name) or "" for name in SAID]
    said += [f"{name}:{value}" for name, value in environ.items() if name.startswith("HTTP_") and name not in ASIDE]
    return hashlib.blake2b("\0".join(said).encode(errors="surrogatepass"), digest_size=20).digest()


def _again(environ: Environ, name: bytes) -> Told | None:
    started = time.perf_counter()
    precedent = _precedents.get(name)
    if precedent is None:
        return None
    decided = precedent.decision
    with decided.source.context():
        request: Any = WSGIRequest(environ)
        request.resolver_match, request.user, request.auth = decided.match, decided.user, decided.auth
        token = request_id.set(name_request(request))
        try:
            reading, verdict = _asked(precedent, request)
            # Counted once: the view refuses one that is too many, and makes what cannot be made here.
            environ[COUNTED] = verdict
            if reading is None or not verdict.is_admitted:
                return None
            answer = decided.source.known(reading) or decided.source.made(request)
            if answer is None:
                return None
            told = _told(precedent, answer, environ.get("HTTP_IF_NONE_MATCH", ""))
            say_limits(request, told.headers)
            told.headers["X-Request-ID"] = request.request_id
            record(request, told.status_code, time.perf_counter() - started)
        finally:
            request_id.reset(token)
    return told


def _asked(precedent: Precedent, request: Any) -> tuple[Reading | None, Verdict]:
    """Return the reading for an answer and what the limits say: by one question, where one server knows both."""
    demands = list(demands_of(request, account=str(precedent.decision.user.pk), key=""))
    with limiter().spending_ahead(demands):
        return precedent.reading(), spent(request, demands)


def _told(precedent: Precedent, answer: Answer, has: str) -> Told:
    if etag.matches(has, answer.etag):
        headers = {name: value for name, value in precedent.headers if name not in OF_BODY}
        return Told(HTTPStatus.NOT_MODIFIED, {"ETag": answer.etag, "Content-Length": "0", **headers})
    own = {"ETag": answer.etag, "Content-Length": str(len(answer.body))}
    return Told(
        HTTPStatus.OK, {**dict(precedent.headers), **own, **dict(precedent.decision.source.headers)}, answer.body
    )


def _learn(
    name: bytes,
    environ: Environ,
    start_response: StartResponse,
    status: str,
    headers: list[tuple[str, str]],
    *error: Any,
) -> Any:
    """Begin an answer, and keep what was decided about it, if a view said so."""
    decided: Decision | None = environ.pop(remembered.DECIDED, None)
    if decided is not None and status.startswith("200 ") and not UNLIKE & {each for each, _ in headers}:
        _keep(name, decided, [(each, value) for each, value in headers if each not in OWN], environ["PATH_INFO"])
    return start_response(status, headers, *error)


def _keep(name: bytes, decided: Decision, headers: Sequence[tuple[str, str]], path: str) -> None:
    if networks_for(path, settings.IP_ALLOW_LIST) is not None:
        return
    seconds = min(LONGEST, decided.user.good_until - time.monotonic(), decided.auth.expires - time.time())
    _precedents.add(name, Precedent(decided, headers), until=time.monotonic() + seconds)


def _forget(**signal: Any) -> None:
    """Forget every decision: what it was made by is no longer so. Settings change in tests alone."""
    _precedents.clear()


setting_changed.connect(_forget)
