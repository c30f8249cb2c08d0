"""A list that the edge keeps: through nginx and Lua by the stack's own files, against nginx with the bytes in a file.

The comparison is over HTTP without TLS, as the file is served; the edge is another nginx beside the stack's, by the
same files and before the same application. The stack's own edge, with TLS, is measured beside them. All of them share
the processors with the load generator.
"""

from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks.contenders import Contender, DifferentAnswersError, essence, measure, require_same
from benchmarks.harness import Size, Target, never, ratio, told
from benchmarks.hits import COURSES, remembered
from benchmarks.load import put_load_on
from benchmarks.servers import Servers, servers
from benchmarks.stack import Stack

HIT, FILE, TLS = "edge hit", "static file", "edge hit over TLS"
LEAST_RATIO, LEAST_RATE, MOST_P99 = 0.7, 40_000, 20
# So many people ask at half the rate that was reached.
PACED_CONNECTIONS = 128
HOST = {"Host": "localhost"}
# What is compared with the application's own answer; each has to be kept, for each who asks.
PATHS = [
    COURSES,
    f"{COURSES}?page_size=50&ordering=code",
    "/api/v1/departments/",
    "/api/v1/programs/",
    "/api/v1/terms/",
    "/api/v1/rooms/",
    "/api/v1/meetings/?page_size=5",
    "/api/v1/sections/",
]
STUDENTS = 3


def targets(size: Size, stack: Stack) -> Iterator[Target]:
    """See that the edge keeps what the application would say, and measure it."""
    people = stack.run("benchmarks.people", str(STUDENTS))
    token = {"Authorization": f"Bearer {people['registrar']}"}
    with servers() as started:
        edge = stack.plain_edge(started)
        edge.wait(COURSES, token | HOST)
        compared = compare(stack, started, people)
        hit = Contender(edge, COURSES, lambda: token | HOST)
        file = started.static(remembered(hit, "EDGE-HIT"))
        file.wait("/page", {})
        secure = Contender(stack.edge, COURSES, lambda: token)
        remembered(secure, "EDGE-HIT")
        rounds = measure({HIT: hit, FILE: Contender(file, "/page", dict), TLS: secure}, size)
        yield from judged(rounds)
        yield from _paced(hit, median(each[HIT] for each in rounds), size.seconds)
        remembered(hit, "EDGE-HIT")
    yield never("answers of the edge unlike the application's", 0, compared)


def judged(rounds: list[dict[str, float]]) -> Iterator[Target]:
    """Return what the rates of the rounds say about each target, and the rates themselves for orientation."""
    yield Target(f"{HIT} ÷ {FILE}", "at least", LEAST_RATIO, ratio(rounds, HIT, FILE), "ratio")
    yield Target(HIT, "at least", LEAST_RATE, median(each[HIT] for each in rounds), "requests/s")
    for name in (FILE, TLS):
        yield told(name, median(each[name] for each in rounds), "requests/s")


def compare(stack: Stack, started: Servers, people: dict[str, list[str] | str]) -> int:
    """Return how many kept answers were what the application says that remembers nothing; raise if one was not."""
    anew, edge, compared = stack.forgetful(started), stack.edge, 0
    tokens = {
        "registrar": str(people["registrar"]),
        **{f"student {i}": each for i, each in enumerate(people["students"])},
    }
    for who, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"}
        anew.wait(PATHS[0], headers | HOST)
        for path in PATHS:
            kept = remembered(Contender(edge, path, partial(dict, headers)), "EDGE-HIT")
            made, found = anew.ask(path, headers | HOST)
            if found == "HIT":
                raise DifferentAnswersError(f"{path} was to be made anew for comparison, and was not")
            require_same({f"{path} for a {who}, made anew": essence(made), "the edge": essence(kept)})
            compared += 1
    return compared


def _paced(hit: Contender, rate: float, seconds: int) -> Iterator[Target]:
    """Ask at half the rate, and return how long the slowest hundredth of the answers took at least."""
    pause = PACED_CONNECTIONS / (rate / 2) * 1000
    url = f"{hit.server.url}{hit.path}"
    measured = put_load_on(url, hit.headers(), seconds=seconds, connections=PACED_CONNECTIONS, pause=pause)
    yield Target("p99 of edge hits at half the maximum rate", "at most", MOST_P99, measured.p99, "ms")
    yield told("the rate meanwhile ÷ the maximum rate", measured.rate / rate, "ratio")
