"""What is put under load, and what is made of it. How quick anything is, no test asks."""

from collections.abc import Iterator
from functools import partial

import pytest

from benchmarks import lists
from benchmarks.contenders import Contender, DifferentAnswersError, require_same
from benchmarks.harness import in_turn
from benchmarks.load import LoadError, Measured, parse, put_load_on
from benchmarks.replay import Request, replay
from benchmarks.servers import ServerError, Servers, servers, versions

URL = "http://127.0.0.1:1/"
SAID = "\n".join(
    [
        "Running 5s test @ http://127.0.0.1:1/",
        "  2 threads and 16 connections",
        "  Thread Stats   Avg      Stdev     Max   +/- Stdev",
        "    Latency   635.91us    0.89ms  12.92ms   93.69%",
        "    Req/Sec    56.20k     8.07k   62.00k    86.54%",
        "  Latency Distribution",
        "     50%  250.00us",
        "     75%  491.00us",
        "     90%  700.00us",
        # A blank stands after each number that is in seconds.
        "     99%    1.20s ",
        "  22464 requests in 5.01s, 17.76MB read",
        "Requests/sec:   4483.83",
        "Transfer/sec:      3.54MB\n",
    ]
)
STUDENT = {name: f"some {name}" for name in lists.SHOWN}


def test_what_the_load_generator_says_is_read() -> None:
    assert parse(SAID, URL) == Measured(requests=22464, rate=4483.83, median=0.25, p99=1200.0)


@pytest.mark.parametrize(
    "line", ["Socket errors: connect 0, read 3, write 0, timeout 0", "Non-2xx or 3xx responses: 22464"]
)
def test_a_run_with_any_failure_is_no_measurement(line: str) -> None:
    said = SAID.replace("Requests/sec", f"  {line}\nRequests/sec")

    with pytest.raises(LoadError, match=line):
        parse(said, URL)


@pytest.mark.parametrize("said", ["", SAID.replace("99%", "98%"), SAID.replace("22464 requests", "0 requests")])
def test_what_is_not_understood_is_no_measurement_either(said: str) -> None:
    with pytest.raises(LoadError):
        parse(said, URL)


def test_a_target_is_judged_by_the_median_of_the_ratios_within_each_round() -> None:
    steady = {
        "list": 60.0,
        "numbered list": 30.0,
        "plain DRF": 10.0,
        "FastAPI": 20.0,
        "Litestar": 50.0,
        "bare Django": 600.0,
        "static file": 6000.0,
    }
    # The machine was ten times slower in one round, for everybody, and only the baseline was disturbed in another.
    slow = {name: rate / 10 for name, rate in steady.items()}
    rounds = [steady, slow, {**steady, "plain DRF": 1.0}]

    judged = {target.name: target for target in lists.judged(rounds)}

    promised = {name: (round(each.measured, 6), each.ok) for name, each in judged.items() if each.is_promise}
    assert promised == {
        "list ÷ plain DRF": (6.0, True),
        "list ÷ FastAPI": (3.0, True),
        "list ÷ Litestar": (1.2, False),
        "numbered list ÷ plain DRF": (3.0, False),
    }
    assert judged["plain DRF"].measured == 1.0
    assert judged["list"].measured == 60.0


def test_the_versions_of_the_baselines_are_those_that_are_locked() -> None:
    found = versions()

    assert {"Django", "djangorestframework", "fastapi", "litestar", "asyncpg", "sqlalchemy"} <= found.keys()
    assert all(version[0].isdigit() for version in found.values())


@pytest.fixture
def started() -> Iterator[Servers]:
    with servers() as running:
        yield running


@pytest.mark.needs("nginx", "wrk")
@pytest.mark.slow
def test_servers_are_measured_in_turn_and_end_with_the_run() -> None:
    with servers() as running:
        server = running.static(b'{"data": []}')
        server.wait("/page", {})
        contender = Contender(server, "/page", dict)

        (rates,) = in_turn({"static file": partial(contender.rate, 1)}, 1)

    assert rates["static file"] > 0
    assert not server.child.is_running


@pytest.mark.needs("nginx", "wrk")
@pytest.mark.slow
def test_what_is_refused_is_neither_awaited_nor_measured(started: Servers) -> None:
    server = started.static(b"")
    server.wait("/page", {})

    with pytest.raises(ServerError, match="bench-static answered 404 for /nothing"):
        server.get("/nothing", {})
    with pytest.raises(LoadError, match="Non-2xx"):
        put_load_on(f"{server.url}/nothing", {}, seconds=1)


def test_contenders_that_show_different_students_are_not_compared() -> None:
    ours, same = {"data": [STUDENT]}, {"count": 1, "results": [{**STUDENT, "more": "that nobody asked for"}]}
    other = {"results": [{**STUDENT, "student_no": "another"}]}

    require_same({"ours": lists.students_of(ours), "same": lists.students_of(same)})
    with pytest.raises(DifferentAnswersError, match="another"):
        require_same({"ours": lists.students_of(ours), "other": lists.students_of(other)})


@pytest.mark.needs("nginx", "wrk")
@pytest.mark.slow
def test_many_different_requests_are_sent_once_each_and_told_apart(started: Servers) -> None:
    server = started.static(b"{}")
    server.wait("/page", {})
    requests = [Request("/page", ""), Request("/nothing", "a-token"), Request("/page", "a-token", "PATCH", "{}")] * 10

    came = replay(server.url, requests, seconds=30)

    assert came.answered == {(200, "-"): 10, (404, "-"): 10, (405, "-"): 10}
    assert came.rate > 0


@pytest.mark.needs("nginx", "wrk")
@pytest.mark.slow
def test_whoever_pauses_asks_less(started: Servers) -> None:
    server = started.static(b"{}")
    server.wait("/page", {})

    measured = put_load_on(f"{server.url}/page", {}, seconds=1, connections=2, pause=50)

    # Two connections with twenty questions a second each, roughly; without pauses there would be thousands.
    assert 0 < measured.requests < 500
