"""Reads whose answers are remembered, for resources that say of which rows they are made.

What a caller sees is decided by their roles with their scopes, by what an API key leaves of these, and by who they
are, unless the resource says that it is everybody's: then nothing about them does, once they may ask for it, which is
decided before anything is looked up. That is the scope of an answer; it is part of its key, so that no answer is ever
served to somebody with another sight. A day is part of it, too: what is in force today is not tomorrow.

An answer about one row depends on that row alone of a table that is divided by its rows (`core.cache.tags`), unless it
includes others.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import orjson
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from core.api import etag
from core.api.renderers import dumps, envelope
from core.api.throttling import READING
from core.cache.answers import Answer, answers
from core.cache.generations import Reading, expect, generations
from core.cache.release import fingerprint
from core.cache.tags import is_divided_by_row, parts_of_row
from core.db.positions import hold_to_present
from core.metrics import ANSWERS

# Tells the edge that an answer may be kept: what must still hold then, for whom it was made, and what it depends on
# (`core.api.edge`).
KEPT = "X-Edge-Keep"
# The scope of what all who may ask are shown alike.
EVERYBODY = "everybody"
# Where a request's environment keeps what a view has decided about it (`Decision`).
DECIDED = "campushub360.decided"
# Around the turn of a day the database's clock may say another one than ours.
AROUND_MIDNIGHT = timedelta(minutes=1)


def stamp() -> str | None:
    """Return what changes with the release and with the day; None while the day turns, when nothing is remembered."""
    now = datetime.now(timezone.get_default_timezone())  # by the institution's days, rows are in force
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


@dataclass(frozen=True)
class Question:
    """What was asked, by whom as far as it matters, and when: with the generations of its tags it names the answer."""

    stamp: str
    scope: str
    tags: tuple[str, ...]
    path: str
    parameters: tuple[tuple[str, list[str]], ...]

    def named(self, reading: Reading) -> bytes:
        """Return the name of the answer at a reading of the tags."""
        generations = [(each or b"").decode(errors="backslashreplace") for each in reading]
        parts = [self.stamp, self.scope, generations, self.path, self.parameters]
        return hashlib.blake2b(orjson.dumps(parts), digest_size=20).hexdigest().encode()


def reading_of(tags: Sequence[str]) -> Reading | None:
    """Return where the tags stand; None when nothing that is remembered may be used."""
    return generations().read(tags)


def answer_named(name: bytes) -> Answer | None:
    """Return what this process remembers under a name."""
    answer = answers().near(name)
    if answer is not None:
        ANSWERS.labels("process").inc()
    return answer


class Source(Protocol):
    """Where an answer comes from, once it is decided that there is one."""

    @property
    def stamp(self) -> str:
        """Return what the day and the release are called as long as the source is of use (`stamp`)."""

    @property
    def tags(self) -> Sequence[str]:
        """Return what is asked of the generations along with those of the caller."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Return what an answer from here says of where it comes from."""

    def context(self) -> AbstractContextManager[Any]:
        """Return what surrounds the answer, from the first question on."""

    def known(self, reading: Reading) -> Answer | None:
        """Return the answer at a reading of the tags, if that takes nothing."""

    def made(self, request: Any) -> Answer | None:
        """Return the answer to a request that has been counted; None when the view has to be asked."""


@dataclass(frozen=True)
class Decision:
    """What a view has decided about a request: by which rules, for whom, and where the answer comes from.

    It hung on what the tags stood for at the reading.
    """

    source: Source
    match: Any
    user: Any
    auth: Any
    tags: tuple[str, ...]
    reading: Reading


def decide(request: Request, source: Source, *, tags: Sequence[str] = (), reading: Reading = ()) -> None:
    """Keep what was decided about a request, for which generations vouch: those of the caller, and others.

    `reading` is of `tags`, and begins with the epoch as every reading does.
    """
    user: Any = request.user
    vouched: tuple[tuple[str, ...], Reading] | None = getattr(user, "vouched_by", None)
    if vouched is None:
        return
    of_caller, at = vouched
    if reading and reading[0] != at[0]:
        return
    asked = request._request
    asked.META[DECIDED] = Decision(
        source, asked.resolver_match, user, request.auth, (*of_caller, *tags), (*at, *reading[1:])
    )


class FromMemory:
    """An answer that is remembered under the name that the question has at present."""

    headers = (("X-Cache", "HIT"),)

    def __init__(self, question: Question) -> None:
        self.stamp = question.stamp
        self.tags = question.tags
        self._question = question
        # The last reading of the tags, and the answer's name by it: one step to replace, whichever thread does.
        self._last: tuple[Reading, bytes] = ((), b"")

    def context(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def known(self, reading: Reading) -> Answer | None:
        at, name = self._last
        if at != reading:
            name = self._question.named(reading)
            self._last = (reading, name)
        return answer_named(name)

    def made(self, request: Any) -> Answer | None:
        return None


def has_usual_rules(view: Any) -> bool:
    """Say whether the usual rules alone decide who may ask a view how often."""
    return bool(
        view.permission_classes == api_settings.DEFAULT_PERMISSION_CLASSES
        and view.authentication_classes == api_settings.DEFAULT_AUTHENTICATION_CLASSES
        and view.throttle_classes == api_settings.DEFAULT_THROTTLE_CLASSES
    )


def is_plain(view: Any) -> bool:
    """Say whether the usual rules alone decide who may ask a view how often, and nothing is put on record."""
    return getattr(view, "discloses", None) is None and has_usual_rules(view)


class RememberedReadMixin(APIView):
    """Answers a list or a row from memory while nothing that it was made of has changed."""

    # The models, as `app.model`, whose rows the answers are made of or chosen by; without them nothing is remembered.
    # First the resource's own. One that is set apart from some columns (`core.cache.tags`) is named by that tag.
    made_of: ClassVar[Sequence[str]] = ()
    # Whether everybody who may ask is shown the same.
    is_everybodys: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method in READING:
            expect(self._tags(request))  # who calls is asked for first
        super().initial(request, *args, **kwargs)

    def remembered(self, request: Request, make: Callable[[], Response]) -> HttpResponseBase:
        """Return the answer that `make` gives, or gave."""
        # Inside a transaction one sees what others do not.
        question = None if connection.in_atomic_block else self._question(request)
        reading = reading_of(question.tags) if question is not None else None
        if question is None or reading is None:
            return make()
        hold_to_present()
        answer, found = self._answer(question.named(reading), make)
        ANSWERS.labels(found).inc()
        if is_plain(self):
            decide(request, FromMemory(question))
        response = HttpResponse(answer.body, content_type="application/json")
        response["ETag"] = answer.etag
        response["X-Cache"] = "MISS" if found == "nowhere" else "HIT"
        response[KEPT] = " ".join([question.stamp, self._sight(request), *question.tags])
        return response

    @classmethod
    def tags_of_answers(cls) -> list[str]:
        """Return the tags that move when an answer may have changed."""
        return [label.lower() for label in cls.made_of]

    @classmethod
    def divided_tag(cls) -> str | None:
        """Return the tag of the resource's own rows if it is divided by them, so that one may be shown alone."""
        own = cls.tags_of_answers()[:1]
        return next(filter(is_divided_by_row, own), None)

    @classmethod
    def tags_of_row(cls, pk: object) -> list[str]:
        """Return the tags that move when an answer about one row, which includes no others, may have changed."""
        own, tags = cls.divided_tag(), cls.tags_of_answers()
        return tags if own is None else [*tags[1:], *parts_of_row(own, pk)]

    def scope_of(self, request: Request) -> str:
        """Return a digest of what decides which rows and fields a caller is shown."""
        return EVERYBODY if self._is_for_everybody(request) else sight_of(request.user, alone=True)

    def _sight(self, request: Request) -> str:
        """Return the same as the edge knows it, which has to tell those who may ask from others."""
        return sight_of(request.user, alone=not self._is_for_everybody(request))

    def _is_for_everybody(self, request: Request) -> bool:
        # What is included is shown by its own rules of sight.
        return self.is_everybodys and "include" not in request.query_params

    def _tags(self, request: Request) -> list[str]:
        pk = self.kwargs.get("pk")
        return self.tags_of_answers() if pk is None or "include" in request.query_params else self.tags_of_row(pk)

    def _question(self, request: Request) -> Question | None:
        """Return what is asked; None when the answer is not to be remembered now."""
        present = stamp()
        if not self.made_of or present is None:
            return None
        return Question(
            present,
            self.scope_of(request),
            tuple(self._tags(request)),
            request.path,
            tuple(sorted(request.query_params.lists())),
        )

    def _answer(self, key: bytes, make: Callable[[], Response]) -> tuple[Answer, str]:
        """Return an answer and where it was found."""
        known = answers()
        if (answer := known.near(key)) is not None:
            return answer, "process"
        if (answer := known.far(key)) is not None:
            return answer, "redis"
        with known.made_once(key):
            # Whoever had to wait finds what was made meanwhile.
            if (answer := known.near(key)) is not None:
                return answer, "process"
            return self._made(key, make), "nowhere"

    def _made(self, key: bytes, make: Callable[[], Response]) -> Answer:
        response = make()
        meta = getattr(response, "meta", None)
        if response.status_code != status.HTTP_200_OK:
            raise TypeError("only answers with 200 are remembered; refusals are raised")
        tag = response["ETag"] if response.has_header("ETag") else etag.of([response.data, meta])
        answer = Answer(tag, dumps(envelope(response.data, meta=meta)))
        answers().add(key, answer)
        return answer
