"""Deep pages and large tables: the product's list far behind its first page, and over ten times the students.

The product pages by key, so neither what lies before a page nor how many rows there are should be felt. The baseline
is plain Django REST Framework, which numbers the pages and counts the rows, as most teams ship it.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median
from urllib.parse import parse_qs, urlencode, urlsplit

from accounts.models import User
from benchmarks.contenders import Contender, bearer, measure, registrar, require_same
from benchmarks.copies import multiplied, within
from benchmarks.harness import Size, Target, ratio, told
from benchmarks.lists import BASELINE, PRODUCT, students_of, token_of
from benchmarks.servers import Server, Servers, servers
from students.models import Student

TIMES = 10
PAGE_SIZE = 25
LARGEST_PAGE = 200
# A page so deep that what lies before it would be felt; the last one there is, where there are fewer.
DEEP = 4000
REDIS_OF_THE_LARGE = "/8"
MOST = 1.3


def targets(size: Size) -> Iterator[Target]:
    """Start both over the large table and the product over the small one as well, and measure all in turn."""
    user, large = registrar(), multiplied(TIMES)
    rows = Student.objects.count()
    deep = deepest(rows * TIMES)
    with servers() as started:
        contenders = _contenders(started, user, large, deep)
        compare(contenders)
        rounds = measure(contenders, size)
    yield from judged(rounds, rows, deep)


def judged(rounds: list[dict[str, float]], rows: int, deep: int) -> Iterator[Target]:
    """Return what the rates of the rounds say about each target, and the rates themselves for orientation."""
    large = rows * TIMES
    yield Target(f"page 1 ÷ page {deep}, by cursor", "at most", MOST, ratio(rounds, "large list", "deep list"), "ratio")
    yield Target(
        f"list of {rows} rows ÷ list of {large}", "at most", MOST, ratio(rounds, "small list", "large list"), "ratio"
    )
    for name, one, other in [
        (f"page {deep} by cursor ÷ by OFFSET (plain DRF)", "deep list", "deep plain DRF"),
        (f"page 1 of {large} rows ÷ plain DRF", "large list", "large plain DRF"),
        (f"page 1 ÷ page {deep}, plain DRF", "large plain DRF", "deep plain DRF"),
    ]:
        yield told(name, ratio(rounds, one, other), "ratio")
    for name in rounds[0]:
        yield told(
            f"{name} of {rows if name == 'small list' else large}", median(each[name] for each in rounds), "requests/s"
        )


def deepest(rows: int) -> int:
    """Return the number of the deep page among so many rows."""
    return max(1, min(DEEP, rows // PAGE_SIZE))


def compare(contenders: Mapping[str, Contender]) -> None:
    """Raise `DifferentAnswersError` unless everybody shows the same first page, and the same deep one."""
    shown = {name: students_of(contender.body()) for name, contender in contenders.items()}
    require_same({name: rows for name, rows in shown.items() if name.startswith("large ")})
    require_same({name: rows for name, rows in shown.items() if name.startswith("deep ")})


def _contenders(started: Servers, user: User, large: str, deep: int) -> dict[str, Contender]:
    def ours() -> Mapping[str, str]:
        with within(large):
            return bearer(user)

    small = started.product()
    with within(large):
        product, drf = started.product(REDIS_OF_THE_LARGE), started.django("plain_drf.wsgi")
    theirs = partial(token_of, started, user)
    small.wait(PRODUCT, bearer(user))
    product.wait(PRODUCT, ours())
    drf.wait(BASELINE, theirs())
    cursor = cursor_of(deep, product, ours())
    return {
        "small list": Contender(small, PRODUCT, partial(bearer, user)),
        "large list": Contender(product, PRODUCT, ours),
        "deep list": Contender(product, f"{PRODUCT}?{urlencode({'cursor': cursor})}" if cursor else PRODUCT, ours),
        "large plain DRF": Contender(drf, BASELINE, theirs),
        "deep plain DRF": Contender(drf, f"{BASELINE}?page={deep}", theirs),
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
