"""A page of students with department and program nested: the product's list against that of the baselines.

Nothing is cached but what the product remembers of who calls. The product also counts every request against its
limits, records to whom it showed whose records, and logs it; the baselines do nothing of the kind. Before anything is
measured, every contender has to have shown the same students.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median
from typing import Any

import jwt
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.models import User
from benchmarks.authorization import queries_of
from benchmarks.contenders import Contender, bearer, made_anew, measure, registrar, require_same
from benchmarks.data import kept
from benchmarks.harness import Size, Target, ratio, told
from benchmarks.servers import Servers, servers
from students.api.views import StudentViewSet

PRODUCT = "/api/v1/students/"
BASELINE = "/students/"
SHOWN = ["student_no", "first_name", "last_name", "email", "status", "department", "program", "cohort", "admitted_on"]


def targets(size: Size) -> Iterator[Target]:
    """Start everybody, see that they show the same, and measure them in turn."""
    user = registrar()
    with kept():
        yield _queries(user)
    with servers() as started:
        contenders = _contenders(started, user)
        anew = {"no server": students_of({"data": made_anew(StudentViewSet, PRODUCT, user)})}
        require_same(anew | {name: students_of(each.body()) for name, each in contenders.items()})
        rounds = measure(contenders, size)
    yield from judged(rounds)


def judged(rounds: list[dict[str, float]]) -> Iterator[Target]:
    """Return what the rates of the rounds say about each target, and the rates themselves for orientation."""
    for one, other, least in [
        ("list", "plain DRF", 6),
        ("list", "FastAPI", 2.5),
        ("list", "Litestar", 1.5),
        ("numbered list", "plain DRF", 4),
    ]:
        yield Target(f"{one} ÷ {other}", "at least", least, ratio(rounds, one, other), "ratio")
    yield told("list ÷ bare Django", ratio(rounds, "list", "bare Django"), "ratio")
    for name in rounds[0]:
        yield told(name, median(each[name] for each in rounds), "requests/s")


def _queries(user: User) -> Target:
    view: Any = type("Unlimited", (StudentViewSet,), {"throttle_classes": []}).as_view({"get": "list"})  # type: ignore[attr-defined]  # made on the spot

    def call() -> None:
        request = APIRequestFactory().get(PRODUCT)
        force_authenticate(request, user)
        view(request).render()

    return Target("list: queries once authenticated", "at most", 2, queries_of(call), "queries", is_correctness=True)


def _contenders(started: Servers, user: User) -> dict[str, Contender]:
    """Start the servers; the baselines that answer with bytes are given the product's."""
    ours, theirs = partial(bearer, user), partial(token_of, started, user)
    product, drf = started.product(), started.django("plain_drf.wsgi")
    fastapi, litestar = started.asynchronous("fastapi_sqlalchemy"), started.asynchronous("litestar_asyncpg")
    product.wait(PRODUCT, ours())
    for server in (drf, fastapi, litestar):
        server.wait(BASELINE, theirs())
    page = product.get(PRODUCT, ours())
    bare, static = started.django("bare_django", page=page), started.static(page)
    bare.wait(BASELINE, {})
    static.wait("/page", {})
    return {
        "list": Contender(product, PRODUCT, ours),
        "numbered list": Contender(product, f"{PRODUCT}?page=1", ours),
        "plain DRF": Contender(drf, BASELINE, theirs),
        "FastAPI": Contender(fastapi, BASELINE, theirs),
        "Litestar": Contender(litestar, BASELINE, theirs),
        "bare Django": Contender(bare, BASELINE, dict),
        "static file": Contender(static, "/page", dict),
    }


def token_of(started: Servers, user: User) -> Mapping[str, str]:
    """Return the headers of somebody whom the baselines know."""
    return {"Authorization": f"Bearer {jwt.encode({'sub': str(user.pk)}, started.token_key, 'HS256')}"}


def students_of(body: Any) -> list[dict[str, Any]]:
    """Return the students of an answer, whichever envelope they are in, as far as everybody has to agree."""
    rows = body["data"] if "data" in body else body["results"]
    return [{name: row[name] for name in SHOWN} for row in rows]
