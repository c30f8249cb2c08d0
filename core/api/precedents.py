"""Reads that were answered before, answered again without asking their view.

What a view that answers from memory decides about a request hangs on the request line, the token, what the caller's
generations stand for, and the day. So once it has answered, that is kept as a precedent, under a digest of the question
and the token. When the same is asked with the same token, and the generations of the caller are the same, it is the
same decision: the request is counted as ever, and the answer is looked up by the generations of what it is made of.
Whatever is not exactly so goes to the view.

There are precedents for views with the usual rules alone, that put nothing on record, and for callers whom generations
vouch for (`accounts.selectors.user_of`), which is none who comes with an API key.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.signals import setting_changed
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status

from core.api import etag, remembered
from core.api.throttling import judged
from core.cache.answers import Answer
from core.cache.generations import Reading
from core.cache.local import LocalCache

MOST = 5_000
# As long as a caller is remembered (`accounts.selectors`), at most.
LONGEST = 60.0
# What each answer says for itself; the rest of the headers is the view's.
OWN = frozenset({"Content-Length", "ETag", "X-Cache"})

GetResponse = Callable[[HttpRequest], HttpResponseBase]


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


class PrecedentMiddleware:
    """Answers from memory what was asked before."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = request.META.get("HTTP_AUTHORIZATION")
        if request.method != "GET" or not token or connection.in_atomic_block:
            return self.get_response(request)
        name = _name(request, token)
        again = _again(request, name)
        if again is not None:
            return again
        response = self.get_response(request)
        _learn(name, request, response)
        return response


def _name(request: HttpRequest, token: str) -> bytes:
    asked = "\0".join([token, request.path, request.META.get("QUERY_STRING", "")])
    return hashlib.blake2b(asked.encode(errors="surrogatepass"), digest_size=20).digest()


def _again(request: HttpRequest, name: bytes) -> HttpResponseBase | None:
    precedent = _precedents.get(name)
    if precedent is None or precedent.question.stamp != remembered.stamp():
        return None
    answer = precedent.answer()
    if answer is None:
        return None
    request.get_host()  # refuses a host that is none of ours
    request.resolver_match = precedent.match
    # One that is too many is not counted, and the view refuses it.
    if not judged(request, account=str(precedent.user.pk)).is_admitted:
        return None
    request.user = precedent.user
    setattr(request, "auth", precedent.auth)  # noqa: B010 - not the class's own
    if etag.matches(request.META.get("HTTP_IF_NONE_MATCH", ""), answer.etag):
        unchanged = etag.unchanged(answer.etag)
        unchanged["Content-Length"] = "0"
        return unchanged
    response = HttpResponse(answer.body, headers=dict(precedent.headers))
    response["Content-Length"] = str(len(answer.body))
    response["ETag"], response["X-Cache"] = answer.etag, "HIT"
    return response


def _learn(name: bytes, request: HttpRequest, response: HttpResponseBase) -> None:
    answered = getattr(request, remembered.ANSWERED, None)
    if answered is None or response.status_code != status.HTTP_200_OK or response.cookies:
        return
    question, user, auth = answered
    vouched = getattr(user, "vouched_by", None)
    if vouched is None:
        return
    tags, reading = vouched
    seconds = min(LONGEST, user.good_until - time.monotonic(), auth.expires - time.time())
    headers = [(each, value) for each, value in response.headers.items() if each not in OWN]
    precedent = Precedent(question, request.resolver_match, user, auth, headers, tags, reading)
    _precedents.add(name, precedent, until=time.monotonic() + seconds)


def _forget(**signal: Any) -> None:
    """Forget every decision: what it was made by is no longer so. Settings change in tests alone."""
    _precedents.clear()


setting_changed.connect(_forget)
