"""Reads that were answered before, answered again ahead of Django: without its middleware, the routes and the view.

What they all decide about a request hangs on what it says of itself, on what the caller's generations stand for, and
on the day. So once a view has answered from memory, that is kept as a precedent under a digest of everything that the
request said, with the headers that the answer left with. When the same is asked again, and the caller's generations
are the same, it is the same decision. The request is counted against its limits, logged and measured as ever, and the
answer is looked up by the generations of what it is made of. Whatever is not exactly so goes to Django.

There are precedents for views with the usual rules alone, that put nothing on record, and for callers whom generations
vouch for (`accounts.selectors.user_of`), which is none who comes with an API key.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import setting_changed
from django.http import HttpResponse

from core.api import etag, remembered
from core.api.throttling import judged, say_limits
from core.cache.answers import Answer
from core.cache.generations import Reading
from core.cache.local import LocalCache
from core.logging import request_id
from core.middleware import name_request, record
from core.security.addresses import networks_for

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


@dataclass
class Precedent:
    """What a decision hung on, and what came of it."""

    question: remembered.Question
    match: Any
    user: Any
    auth: Any
    headers: Sequence[tuple[str, str]]
    callers_tags: tuple[str, ...]
    callers_reading: Reading
    # The last reading of all tags, and the answer's name by it: one step to replace, whichever thread does.
    last: tuple[Reading, bytes] = field(default=((), b""))

    def answer(self) -> Answer | None:
        """Return the answer as it is to be told now; None when the view has to be asked."""
        if self.question.stamp != remembered.stamp():
            return None
        reading = remembered.reading_of([*self.callers_tags, *self.question.tags])
        callers = len(self.callers_reading)
        if reading is None or reading[:callers] != self.callers_reading:
            return None
        known, name = self.last
        if known != reading:
            name = self.question.named((reading[0], *reading[callers:]))
            self.last = (reading, name)
        return remembered.answer_named(name)


_precedents: LocalCache[bytes, Precedent] = LocalCache(most=MOST, clock=time.monotonic)


class PrecedentApplication:
    """A WSGI application that answers from memory what another one, Django's, has answered before."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = _name(environ)
        if name is None:
            return self._application(environ, start_response)
        response = _again(environ, name)
        if response is None:
            return self._application(environ, partial(_learn, name, environ, start_response))
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]  # without Django's signal that a request has ended: it held nothing that has to end


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


def _again(environ: Environ, name: bytes) -> HttpResponse | None:
    started = time.perf_counter()
    precedent = _precedents.get(name)
    answer = precedent.answer() if precedent is not None else None
    if precedent is None or answer is None:
        return None
    request: Any = WSGIRequest(environ)
    request.resolver_match, request.user, request.auth = precedent.match, precedent.user, precedent.auth
    # One that is too many is not counted, and the view refuses it.
    if not judged(request, account=str(precedent.user.pk)).is_admitted:
        return None
    response = _response(precedent, answer, environ.get("HTTP_IF_NONE_MATCH", ""))
    say_limits(request, response)
    token = request_id.set(name_request(request))
    try:
        response["X-Request-ID"] = request.request_id
        record(request, response, time.perf_counter() - started)
    finally:
        request_id.reset(token)
    return response


def _response(precedent: Precedent, answer: Answer, has: str) -> HttpResponse:
    if etag.matches(has, answer.etag):
        unchanged = etag.unchanged(answer.etag)
        unchanged["Content-Length"] = "0"
        for name, value in precedent.headers:
            if name not in OF_BODY:
                unchanged[name] = value
        return unchanged
    response = HttpResponse(answer.body, headers=dict(precedent.headers))
    response["Content-Length"] = str(len(answer.body))
    response["ETag"], response["X-Cache"] = answer.etag, "HIT"
    return response


def _learn(
    name: bytes,
    environ: Environ,
    start_response: StartResponse,
    status: str,
    headers: list[tuple[str, str]],
    *error: Any,
) -> Any:
    """Begin an answer, and keep what was decided if it came from memory."""
    answered = environ.pop(remembered.ANSWERED, None)
    if answered is not None and status.startswith("200 ") and not UNLIKE & {each for each, _ in headers}:
        _keep(name, answered, [(each, value) for each, value in headers if each not in OWN], environ["PATH_INFO"])
    return start_response(status, headers, *error)


def _keep(name: bytes, answered: Any, headers: Sequence[tuple[str, str]], path: str) -> None:
    question, match, user, auth = answered
    vouched = getattr(user, "vouched_by", None)
    if vouched is None or networks_for(path, settings.IP_ALLOW_LIST) is not None:
        return
    tags, reading = vouched
    seconds = min(LONGEST, user.good_until - time.monotonic(), auth.expires - time.time())
    _precedents.add(
        name, Precedent(question, match, user, auth, headers, tags, reading), until=time.monotonic() + seconds
    )


def _forget(**signal: Any) -> None:
    """Forget every decision: what it was made by is no longer so. Settings change in tests alone."""
    _precedents.clear()


setting_changed.connect(_forget)
