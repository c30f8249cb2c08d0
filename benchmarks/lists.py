"""A page of students with department and program nested: the product's list against that of the baselines.

Nothing is cached but what the product remembers of who calls. The product also counts every request against its
limits, records to whom it showed whose records, and logs it; the baselines do nothing of the kind. Before anything is
measured, every contender has to have shown the same students.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from django.utils import timezone
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts import services
from accounts.models import User
from accounts.roles import Role
from benchmarks.authorization import queries_of
from benchmarks.harness import Size, Target, in_turn, ratio
from benchmarks.load import put_load_on
from benchmarks.servers import Server, Servers, servers
from students.api.views import StudentViewSet
from students.models import Student

PRODUCT = "/api/v1/students/"
BASELINE = "/students/"
PAGE_SIZE = 25
LARGEST_PAGE = 200
# A page so deep that what lies before it would be felt; the last one there is, where there are fewer.
DEEP = 4000
SHOWN = ["student_no", "first_name", "last_name", "email", "status", "department", "program", "cohort", "admitted_on"]

Headers = Callable[[], dict[str, str]]


class DifferentPagesError(Exception):
    """Two contenders show different students, so that nothing can be said by comparing them."""


@dataclass(frozen=True)
class Contender:
    """One address that is put under load; the headers are made anew for each run, since tokens expire."""

    server: Server
    path: str
    headers: Headers

    def rate(self, seconds: int) -> float:
        """Return how many requests a second it answers."""
        return put_load_on(f"{self.server.url}{self.path}", self.headers(), seconds=seconds).rate

    def body(self) -> Any:
        """Return what it answers."""
        return json.loads(self.server.get(self.path, self.headers()))


def targets(size: Size) -> Iterator[Target]:
    """Start everybody, see that they show the same, and measure them in turn."""
    user = (
        User.objects.with_assignments().filter(is_active=True, role_assignments__role=Role.REGISTRAR).order_by("pk")[0]
    )
    yield _queries(user)
    deep = deepest(Student.objects.count())
    with servers() as started:
        contenders = _contenders(started, user, deep)
        compare(contenders)
        rounds = in_turn(
            {name: partial(contender.rate, size.seconds) for name, contender in contenders.items()}, size.loads
        )
    yield from judged(rounds, deep)


def judged(rounds: list[dict[str, float]], deep: int) -> Iterator[Target]:
    """Return what the rates of the rounds say about each target, and the rates themselves for orientation."""
    for one, other, least in [
        ("list", "plain DRF", 6),
        ("list", "FastAPI", 2.5),
        ("list", "Litestar", 1.5),
        ("numbered list", "plain DRF", 4),
    ]:
        yield Target(f"{one} ÷ {other}", "at least", least, ratio(rounds, one, other), "ratio")
    yield Target(f"page 1 ÷ page {deep}, by cursor", "at most", 1.3, ratio(rounds, "list", "deep list"), "ratio")
    yield _told(f"page 1 ÷ page {deep}, by number", ratio(rounds, "numbered list", "deep numbered list"), "ratio")
    yield _told(f"page 1 ÷ page {deep}, plain DRF", ratio(rounds, "plain DRF", "deep plain DRF"), "ratio")
    yield _told("list ÷ bare Django", ratio(rounds, "list", "bare Django"), "ratio")
    for name in rounds[0]:
        yield _told(name, median(each[name] for each in rounds), "requests/s")


def deepest(rows: int) -> int:
    """Return the number of the deep page among so many rows."""
    return max(1, min(DEEP, rows // PAGE_SIZE))


def _told(name: str, measured: float, unit: str) -> Target:
    return Target(name, "at least", 0, measured, unit, is_promise=False)


def _queries(user: User) -> Target:
    view: Any = type("Unlimited", (StudentViewSet,), {"throttle_classes": []}).as_view({"get": "list"})  # type: ignore[attr-defined]  # made on the spot

    def call() -> None:
        request = APIRequestFactory().get(PRODUCT)
        force_authenticate(request, user)
        view(request).render()

    return Target("list: queries once authenticated", "at most", 2, queries_of(call), "queries")


def _contenders(started: Servers, user: User, deep: int) -> dict[str, Contender]:
    """Start the servers; the baselines that answer with bytes are given the product's."""

    def ours() -> dict[str, str]:
        return {"Authorization": f"Bearer {services.open_session(user, amr=['pwd'], at=timezone.now()).access}"}

    def theirs() -> dict[str, str]:
        return {"Authorization": f"Bearer {jwt.encode({'sub': str(user.pk)}, started.token_key, 'HS256')}"}

    product, drf = started.product(), started.django("plain_drf.wsgi")
    fastapi, litestar = started.asynchronous("fastapi_sqlalchemy"), started.asynchronous("litestar_asyncpg")
    product.wait(PRODUCT, ours())
    for server in (drf, fastapi, litestar):
        server.wait(BASELINE, theirs())
    page = product.get(PRODUCT, ours())
    bare, static = started.django("bare_django", page=page), started.static(page)
    bare.wait(BASELINE, {})
    static.wait("/page", {})
    deep_cursor = f"{PRODUCT}?{urlencode({'cursor': cursor_of(deep, product, ours())})}" if deep > 1 else PRODUCT
    return {
        "list": Contender(product, PRODUCT, ours),
        "deep list": Contender(product, deep_cursor, ours),
        "numbered list": Contender(product, f"{PRODUCT}?page=1", ours),
        "deep numbered list": Contender(product, f"{PRODUCT}?page={deep}", ours),
        "plain DRF": Contender(drf, BASELINE, theirs),
        "deep plain DRF": Contender(drf, f"{BASELINE}?page={deep}", theirs),
        "FastAPI": Contender(fastapi, BASELINE, theirs),
        "Litestar": Contender(litestar, BASELINE, theirs),
        "bare Django": Contender(bare, BASELINE, dict),
        "static file": Contender(static, "/page", dict),
    }


def cursor_of(page: int, product: Server, headers: Mapping[str, str]) -> str:
    """Walk to a page, in steps as large as may be, and return its cursor."""
    left, cursor = (page - 1) * PAGE_SIZE, ""
    while left:
        step = min(left, LARGEST_PAGE)
        asked = {"page_size": str(step), **({"cursor": cursor} if cursor else {})}
        answer = json.loads(product.get(f"{PRODUCT}?{urlencode(asked)}", headers))
        cursor = parse_qs(urlsplit(answer["meta"]["pagination"]["next"]).query)["cursor"][0]
        left -= step
    return cursor


def compare(contenders: Mapping[str, Contender]) -> None:
    """Raise `DifferentPagesError` unless everybody shows the same first page, and the same deep one."""
    for is_deep in (False, True):
        shown = {
            name: students_of(contender.body())
            for name, contender in contenders.items()
            if name.startswith("deep ") is is_deep
        }
        for (one, of_one), (other, of_other) in pairwise(shown.items()):
            if of_one != of_other:
                raise DifferentPagesError(f"{one} shows {of_one[:1]}, {other} shows {of_other[:1]}")


def students_of(body: Any) -> list[dict[str, Any]]:
    """Return the students of an answer, whichever envelope they are in, as far as everybody has to agree."""
    rows = body["data"] if "data" in body else body["results"]
    return [{name: row[name] for name in SHOWN} for row in rows]
