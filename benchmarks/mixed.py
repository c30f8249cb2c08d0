"""People who read what is taught, and others who write meanwhile: how many of the answers come from memory.

One request in twenty writes. Who asks, and for which sections and courses, is spread by Zipf's law: a few do most of
it. What is read is what the product remembers at all; records of people are put on record whenever they are shown, and
so are never answered from memory. Of the writes, most change the record of a student, and some a section.

What is measured is a product that has been up for a while: before, each path is asked for once by somebody of each
role, and then the same load goes on for a while that is not counted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, Self

from benchmarks.contenders import DifferentAnswersError
from benchmarks.edge import HOST, compare
from benchmarks.harness import Size, Target, never, told
from benchmarks.replay import NO_CACHE, Replayed, Request, replay, zipf
from benchmarks.servers import Server, servers
from benchmarks.stack import Stack

SEED = 20_000
STUDENTS = 40
SECTIONS, COURSES, STUDENTS_CHANGED = 100, 50, 100
ONE_WRITE_IN, ONE_SECTION_IN = 20, 5
LEAST_HIT_RATE = 0.95
# Of the edge's histogram of how late moves are heard: the bucket, and how much is to be in it.
IN_TIME, LEAST_IN_TIME = "0.05", 0.99
# More than are answered in a second.
REQUESTS_A_SECOND = 5_000
LEAST_SECONDS = 3
# Within which everything has been asked for once.
PATIENCE_SECONDS = 60
SHAPE = [
    f"/api/v1/{name}/" for name in ("terms", "departments", "programs", "campuses", "rooms", "courses", "meetings")
]


def targets(size: Size, stack: Stack) -> Iterator[Target]:
    """Put the mixed load on the stack's edge, and see afterwards that it shows what was written."""
    people = stack.run("benchmarks.people", str(STUDENTS))
    edge, seconds = stack.edge, max(size.seconds * size.loads, LEAST_SECONDS)
    with servers() as started:
        shown = Shown.by(edge, people)
        requests = made(shown, people, REQUESTS_A_SECOND * seconds)
        replay(edge.url, asked_before(shown, people), seconds=PATIENCE_SECONDS)
        replay(edge.url, requests[: len(requests) // 5], seconds=seconds)
        requests = requests[len(requests) // 5 :]
        before = stack.heard()
        came = replay(edge.url, requests, seconds=seconds)
        heard = {bound: count - before[bound] for bound, count in stack.heard().items()}
        if came.of_status(200) != came.total:
            raise DifferentAnswersError(f"the mixed load was answered {dict(came.answered)}")
        compared = compare(stack, started, {**people, "students": people["students"][:1]})
    yield from judged(came, sum(request.method != "GET" for request in requests[: came.total]))
    share = heard[IN_TIME] / heard["+Inf"]
    yield Target("mixed load: moves heard within 50 ms", "at least", LEAST_IN_TIME, share, "ratio")
    yield never("mixed load: answers unlike the application's afterwards", 0, compared)


def judged(came: Replayed, writes: int) -> Iterator[Target]:
    """Return what came of the load, of which so much wrote: some of that may not have been answered any more."""
    plain = sum(count for (_, cache), count in came.answered.items() if cache == NO_CACHE)
    rate = came.from_memory / max(came.total - min(writes, plain), 1)
    yield Target("mixed load: hit rate", "at least", LEAST_HIT_RATE, rate, "ratio")
    yield told("mixed load", came.rate, "requests/s")
    yield told("mixed load: writes", writes / came.total, "ratio")


class Shown(NamedTuple):
    """What is there to be read and changed: paths, the most asked for first, and rows by their ids."""

    paths: list[str]
    sections: list[str]
    students: list[str]

    @classmethod
    def by(cls, edge: Server, people: Mapping[str, Any]) -> Self:
        """Ask the edge what there is."""
        registrar = {"Authorization": f"Bearer {people['registrar']}"} | HOST

        def ids(path: str, most: int) -> list[str]:
            return [row["id"] for row in json.loads(edge.get(f"{path}?page_size={most}", registrar))["data"]]

        sections, students = ids("/api/v1/sections/", SECTIONS), ids("/api/v1/students/", STUDENTS_CHANGED)
        paths = interleaved(
            [f"/api/v1/sections/{each}/" for each in sections],
            [f"/api/v1/courses/{each}/" for each in ids("/api/v1/courses/", COURSES)],
            SHAPE,
        )
        return cls(paths, sections, students)


def asked_before(shown: Shown, people: Mapping[str, Any]) -> list[Request]:
    """Return a request for each path by somebody of each role."""
    tokens = [token for who, token in people.items() if who != "students"] + people["students"][:1]
    return [Request(path, token) for token in tokens for path in shown.paths]


def made(shown: Shown, people: Mapping[str, Any], count: int) -> list[Request]:
    """Return the requests in the order in which they are sent: the same for the same data, whoever runs it."""
    random = Random(SEED)  # noqa: S311 - nothing secret hangs on it
    tokens = [token for who, token in people.items() if who != "students"] + people["students"]
    asked = zip(zipf(tokens, random, count), zipf(shown.paths, random, count), strict=True)
    requests = [Request(path, token) for token, path in asked]
    for number in range(0, count, ONE_WRITE_IN):
        place = number + random.randrange(min(ONE_WRITE_IN, count - number))
        is_section = number // ONE_WRITE_IN % ONE_SECTION_IN == 0
        (changed,) = zipf(shown.sections if is_section else shown.students, random, 1)
        requests[place] = _write(changed, people["registrar"], number, is_section=is_section)
    return requests


def _write(changed: str, token: str, number: int, *, is_section: bool) -> Request:
    if is_section:
        return Request(f"/api/v1/sections/{changed}/", token, "PATCH", json.dumps({"waitlist_capacity": number % 90}))
    resides = {"custom_fields": {"hostel_resident": number // ONE_WRITE_IN % 2 == 0}}
    return Request(f"/api/v1/students/{changed}/", token, "PATCH", json.dumps(resides))


def interleaved(*lists: Sequence[str]) -> list[str]:
    """Return the elements of the lists, the first of each first."""
    longest = max(map(len, lists))
    return [each[position] for position in range(longest) for each in lists if position < len(each)]
