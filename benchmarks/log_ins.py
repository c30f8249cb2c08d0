"""What a log-in takes that fails: as long whether the account is unknown, known, disabled or locked.

The whole application answers, with the hashes that production makes. The four are tried by turns, and what is reported
is how far apart the longest and the shortest of their medians lie: by the clock, which is what somebody who guesses
has, and by the time of the processor, which no other work on the machine makes longer. Every attempt at an unknown
address is at another one, and at a known account nobody has guessed before.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from uuid import uuid4

from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from accounts import hashing
from accounts.models import GuessCount, User
from accounts.services.guesses import FREE, forget_guesses
from accounts.services.login import account_subject
from benchmarks.harness import Size, Target, in_turn, never, told

PATH = "/api/v1/auth/token/"
PASSWORD, WRONG = "correct horse battery staple", "incorrect horse battery staple"
ATTEMPTS = 200
APART = 1.1
Times = Mapping[str, Sequence[float]]


@dataclass
class Contender:
    """A way in which a log-in fails: how it is tried, and what every attempt took and was answered."""

    attempt: Callable[[], str]
    forget: Callable[[], None]
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def measure(self) -> float:
        """Make one attempt, as if it were the first, and return the seconds it took."""
        self.forget()
        began, worked = time.perf_counter(), time.process_time()
        self.answers.append(self.attempt())
        self.clock.append(time.perf_counter() - began)
        self.processor.append(time.process_time() - worked)
        return self.clock[-1]


def targets(size: Size) -> Iterator[Target]:
    """Measure log-ins that fail for four reasons."""
    logging.disable(logging.WARNING)  # each of them is a refusal
    try:
        with override_settings(PASSWORD_HASHERS=_of_production()), _contenders() as contenders:
            measures = {name: each.measure for name, each in contenders.items()}
            in_turn(measures, min(ATTEMPTS, size.rounds * size.calls))
    finally:
        logging.disable(logging.NOTSET)
    answers = [answer for each in contenders.values() for answer in each.answers]
    others = sum(answer != answers[0] for answer in answers)
    yield never("log-ins that fail told apart by their answer", others, len(answers))
    yield from judged(
        {name: each.clock for name, each in contenders.items()},
        {name: each.processor for name, each in contenders.items()},
    )
    for name, each in contenders.items():
        yield told(f"a log-in that fails, {name}", median(each.clock[1:]) * 1000, "ms")


def judged(clock: Times, processor: Times) -> Iterator[Target]:
    """Hold the medians to one another; what each measured first of all is forgotten."""
    for of, times in (("clock", clock), ("processor", processor)):
        medians = [median(each[1:]) for each in times.values()]
        name = f"log-ins that fail: longest ÷ shortest median, by the {of}"
        yield Target(name, "at most", APART, max(medians) / min(medians), "ratio")


def _of_production() -> list[str]:
    """Return the hashers without the quick one that the tests put before them."""
    return [each for each in settings.PASSWORD_HASHERS if not each.startswith("django.contrib.auth.hashers.MD5")]


@contextmanager
def _contenders() -> Iterator[dict[str, Contender]]:
    """Provide accounts that nobody gets into, and how each is tried; they go again."""
    run = uuid4().hex[:12]
    address = {name: f"{name}-{run}@log-ins.example" for name in ("known", "disabled", "locked")}
    stored, now = hashing.hashed(PASSWORD), timezone.now()
    users = {name: User(email=address[name], password=stored, is_active=name != "disabled") for name in address}
    for user in users.values():
        user.save()
    subjects = {name: account_subject(user) for name, user in users.items()}
    locked = {"guesses": FREE, "counted_at": now, "locked_until": now + timedelta(days=1)}
    GuessCount.objects.create(subject=subjects["locked"], **locked)

    def tried(name: str, password: str) -> Contender:
        forgotten = [] if name == "locked" else [subjects[name]]
        return Contender(lambda: _answer(address[name], password), lambda: forget_guesses(*forgotten))

    def unknown() -> str:
        return _answer(f"{uuid4().hex}@log-ins.example", PASSWORD)

    try:
        yield {
            "unknown": Contender(unknown, lambda: None),
            "known": tried("known", WRONG),
            "disabled": tried("disabled", PASSWORD),
            "locked": tried("locked", PASSWORD),
        }
    finally:
        forget_guesses(*subjects.values())
        for user in users.values():
            user.delete()


def _answer(email: str, password: str) -> str:
    """Return what is said to an attempt, but for what says which and when."""
    answer = Client().post(PATH, {"email": email, "password": password}, content_type="application/json")
    said = {name: value for name, value in answer.json().items() if name not in ("request_id", "timestamp")}
    return json.dumps([answer.status_code, sorted(answer.headers), said])
