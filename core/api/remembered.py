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
from core.cache.answers import Answer, answers
from core.cache.generations import generations
from core.cache.release import fingerprint
from core.db.positions import hold_to_present

# Around the turn of a day the database's clock may say another one than ours.
AROUND_MIDNIGHT = timedelta(minutes=1)


class RememberedReadMixin(APIView):
    """Answers a list or a row from memory while nothing that it was made of has changed."""

    # The models, as `app.model`, whose rows the answers are made of or chosen by; without them nothing is remembered.
    made_of: ClassVar[Sequence[str]] = ()
    # Whether everybody who holds the same roles is shown the same.
    is_everybodys: ClassVar[bool] = False

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
        return response

    def scope_of(self, request: Request) -> str:
        """Return a digest of what decides which rows and fields a caller is shown."""
        user: Any = request.user
        held = sorted(
            (each.role, each.scope_kind, str(each.scope_id or ""), sorted(each.within or ()), each.within is None)
            for each in user.assignments
        )
        # What is included is shown by its own rules of sight.
        whose = None if self.is_everybodys and "include" not in request.query_params else str(user.pk)
        return hashlib.blake2b(orjson.dumps([held, whose]), digest_size=16).hexdigest()

    def _key(self, request: Request) -> bytes | None:
        """Return what names the answer; None when it is not to be remembered now."""
        # Inside a transaction one sees what others do not.
        if not self.made_of or connection.in_atomic_block:
            return None
        now = datetime.now(UTC)
        if (now - AROUND_MIDNIGHT).date() != (now + AROUND_MIDNIGHT).date():
            return None
        reading = generations().read([label.lower() for label in self.made_of])
        if reading is None:
            return None
        hold_to_present()
        parts = [
            fingerprint(),
            self.scope_of(request),
            [(each or b"").decode() for each in reading],
            now.date().isoformat(),
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
