"""Reads whose answers are remembered, for resources that say of which rows they are made.

What a caller sees is decided by their roles with their scopes, by what an API key leaves of these, and, unless the
resource says that it is everybody's, by who they are. That is the scope of an answer; it is part of its key, so that no
answer is ever served to somebody with another sight. A day is part of it, too: what is in force today is not tomorrow.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import orjson
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import etag
from core.api.renderers import dumps, envelope
from core.api.throttling import READING
from core.cache.answers import Answer, answers
from core.cache.generations import expect, generations
from core.cache.release import fingerprint
from core.db.positions import hold_to_present

# Tells the edge that an answer may be kept, what must still hold then, and what it depends on (`core.api.edge`).
KEPT = "X-Edge-Keep"
# Around the turn of a day the database's clock may say another one than ours.
AROUND_MIDNIGHT = timedelta(minutes=1)


def stamp() -> str | None:
    """Return what changes with the release and with the day; None while the day turns, when nothing is remembered."""
    now = datetime.now(UTC)
    if (now - AROUND_MIDNIGHT).date() != (now + AROUND_MIDNIGHT).date():
        return None
    return f"{fingerprint()}/{now.date().isoformat()}"


def sight_of(user: Any, *, alone: bool) -> str:
    """Return a digest of what decides which rows and fields a caller is shown: `alone`, or like all with the roles."""
    held = sorted(
        (each.role, each.scope_kind, str(each.scope_id or ""), sorted(each.within or ()), each.within is None)
        for each in user.assignments
    )
    return hashlib.blake2b(orjson.dumps([held, str(user.pk) if alone else None]), digest_size=16).hexdigest()


class RememberedReadMixin(APIView):
    """Answers a list or a row from memory while nothing that it was made of has changed."""

    # The models, as `app.model`, whose rows the answers are made of or chosen by; without them nothing is remembered.
    made_of: ClassVar[Sequence[str]] = ()
    # Whether everybody who holds the same roles is shown the same.
    is_everybodys: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method in READING:
            expect(self.tags_of_answers())  # who calls is asked for first
        super().initial(request, *args, **kwargs)

    def remembered(self, request: Request, make: Callable[[], Response]) -> HttpResponseBase:
        """Return the answer that `make` gives, or gave."""
        key = self._key(request)
        if key is None:
            return make()
        known = answers()
        answer = known.near(key) or known.far(key)
        is_hit = answer is not None
        if answer is None:
            with known.made_once(key):
                answer = known.near(key) or self._made(key, make)
        response = HttpResponse(answer.body, content_type="application/json")
        response["ETag"] = answer.etag
        response["X-Cache"] = "HIT" if is_hit else "MISS"
        response[KEPT] = " ".join([stamp() or "", *self.tags_of_answers()])
        return response

    @classmethod
    def tags_of_answers(cls) -> list[str]:
        """Return the tags that move when an answer may have changed."""
        return [label.lower() for label in cls.made_of]

    def scope_of(self, request: Request) -> str:
        """Return a digest of what decides which rows and fields a caller is shown."""
        # What is included is shown by its own rules of sight.
        return sight_of(request.user, alone=not self.is_everybodys or "include" in request.query_params)

    def _key(self, request: Request) -> bytes | None:
        """Return what names the answer; None when it is not to be remembered now."""
        # Inside a transaction one sees what others do not.
        if not self.made_of or connection.in_atomic_block:
            return None
        present = stamp()
        reading = generations().read(self.tags_of_answers())
        if present is None or reading is None:
            return None
        hold_to_present()
        parts = [
            present,
            self.scope_of(request),
            [(each or b"").decode() for each in reading],
            request.path,
            sorted(request.query_params.lists()),
        ]
        return hashlib.blake2b(orjson.dumps(parts), digest_size=20).hexdigest().encode()

    def _made(self, key: bytes, make: Callable[[], Response]) -> Answer:
        response = make()
        meta = getattr(response, "meta", None)
        if response.status_code != status.HTTP_200_OK:
            raise TypeError("only answers with 200 are remembered; refusals are raised")
        tag = response["ETag"] if response.has_header("ETag") else etag.of([response.data, meta])
        answer = Answer(tag, dumps(envelope(response.data, meta=meta)))
        answers().add(key, answer)
        return answer
