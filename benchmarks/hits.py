"""A list that the application remembers, without the edge: against Django with one view and no middleware.

Both run on the same server with two processes and send the same bytes, which the baseline has at hand. The product
reads the token, asks Redis whether anything has changed, counts the request against its limits and logs it.
"""

import time
from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks.contenders import (
    Contender,
    DifferentAnswersError,
    bearer,
    made_anew,
    measure,
    registrar,
    require_same,
)
from benchmarks.harness import Size, Target, ratio, told
from benchmarks.servers import servers
from courses.api.views import CourseViewSet

COURSES = "/api/v1/courses/"
HIT, BARE = "application hit", "bare Django"
LEAST = 0.6
# The relay's first lease takes a moment.
PATIENCE = 50


def targets(size: Size) -> Iterator[Target]:
    """Start both, see that the product answers from memory what is so, and measure them in turn."""
    user = registrar()
    with servers() as started:
        ours = partial(bearer, user)
        product = started.product()
        product.wait(COURSES, ours())
        hit = Contender(product, COURSES, ours)
        page = remembered(hit)
        bare = started.django("bare_django", page=page)
        bare.wait("/students/", {})
        contenders = {HIT: hit, BARE: Contender(bare, "/students/", dict)}
        anew = {"no server": made_anew(CourseViewSet, COURSES, user)}
        require_same(anew | {name: each.body()["data"] for name, each in contenders.items()})
        rounds = measure(contenders, size)
        remembered(hit)
    yield from judged(rounds)


def judged(rounds: list[dict[str, float]]) -> Iterator[Target]:
    """Return what the rates of the rounds say."""
    yield Target(f"{HIT} ÷ {BARE}", "at least", LEAST, ratio(rounds, HIT, BARE), "ratio")
    for name in rounds[0]:
        yield told(name, median(each[name] for each in rounds), "requests/s")


def remembered(contender: Contender, word: str = "HIT") -> bytes:
    """Return the answer once it comes from memory; raise `DifferentAnswersError` if it never does."""
    headers, found = contender.headers(), set()
    for _ in range(PATIENCE):
        body, cache = contender.server.ask(contender.path, headers)
        if cache == word:
            return body
        found.add(cache)
        time.sleep(0.1)
    raise DifferentAnswersError(f"{contender.path} is never answered from memory ({word}), but as {sorted(found)}")
