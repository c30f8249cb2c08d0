"""What the limiter promises: exact counts whoever asks, and a bound whatever becomes of its server."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from campushub360.local import CHECKOUT
from campushub360.local.servers import ensure_servers, stop_servers
from core.security import limiter as module
from core.security.limiter import Demand, Limit, Limiter
from tests.local.conftest import eventually, home, processes_in

__all__ = ["home"]

# Of so slow a limit nothing is earned back while a test runs.
TEN = Limit("ten", quota=10, seconds=10**6, burst=10, outage=3)
FOUR = Limit("four", quota=4, seconds=10**6, burst=4, outage=2)


@pytest.fixture
def prefix(settings: Any) -> Iterator[str]:
    """A prefix of the test's own; what it counted is forgotten afterwards."""
    prefix = f"test-{uuid4()}"
    yield prefix
    with Redis.from_url(settings.REDIS_STATE_URL) as redis:
        for key in redis.scan_iter(f"{prefix}:*"):
            redis.delete(key)


@pytest.fixture
def limiter(settings: Any, prefix: str) -> Limiter:
    """A limiter with all the patience that a busy machine asks for."""
    return Limiter(settings.REDIS_STATE_URL, prefix=prefix, patience=60)


def admitted(limiter: Limiter, limit: Limit, times: int, subject: str = "somebody") -> int:
    return sum(limiter.spend([Demand(limit, subject)]).is_admitted for _ in range(times))


@pytest.mark.parametrize(
    "text", ["", "10", "10/0 burst 1 outage 1", "0/1 burst 1 outage 1", "1/1 burst 1", "no", "-1/1"]
)
def test_what_spells_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        Limit.parse("some", text)


def test_a_limit_is_read_as_it_is_written() -> None:
    assert Limit.parse("some", " 1200/60  burst 300 outage 120") == Limit("some", 1200, 60, 300, 120)
    assert Limit.parse("some", "off") is None


@pytest.mark.checklist(49)
def test_as_many_are_admitted_at_once_as_the_burst_says(limiter: Limiter) -> None:
    assert admitted(limiter, TEN, 25) == 10


def test_what_was_spent_is_earned_back_evenly(limiter: Limiter) -> None:
    quick = Limit("quick", quota=50, seconds=1, burst=1, outage=1)

    first, second = (limiter.spend([Demand(quick, "somebody")]) for _ in range(2))
    threading.Event().wait(second.wait)

    assert (first.is_admitted, second.is_admitted) == (True, False)
    assert 0 < second.wait <= 0.02
    assert limiter.spend([Demand(quick, "somebody")]).is_admitted


def test_subjects_and_limits_do_not_spend_each_others(limiter: Limiter) -> None:
    admitted(limiter, TEN, 10, "one")

    assert admitted(limiter, TEN, 1, "one") == 0
    assert admitted(limiter, TEN, 1, "another") == 1
    assert admitted(limiter, FOUR, 1, "one") == 1


def test_a_request_that_one_limit_refuses_costs_none_of_the_others(limiter: Limiter) -> None:
    both = [Demand(TEN, "somebody"), Demand(FOUR, "somebody")]

    verdicts = [limiter.spend(both) for _ in range(8)]

    assert [verdict.is_admitted for verdict in verdicts] == [True] * 4 + [False] * 4
    assert [standing.remaining for standing in verdicts[-1].standings] == [6, 0]
    assert admitted(limiter, TEN, 10) == 6


def test_a_verdict_says_what_is_left_and_when_there_is_more(limiter: Limiter) -> None:
    slow = Limit("slow", quota=60, seconds=3600, burst=3, outage=1)

    verdicts = [limiter.spend([Demand(slow, "somebody")]) for _ in range(4)]

    assert [verdict.standings[0].remaining for verdict in verdicts] == [2, 1, 0, 0]
    assert all(0 < verdict.standings[0].seconds <= 60 for verdict in verdicts)
    assert verdicts[2].wait == 0
    assert 0 < verdicts[3].wait <= 60


def test_a_bucket_that_is_full_again_is_forgotten(limiter: Limiter, settings: Any, prefix: str) -> None:
    admitted(limiter, Limit("quick", quota=1000, seconds=1, burst=1, outage=1), 1)
    admitted(limiter, TEN, 1)

    with Redis.from_url(settings.REDIS_STATE_URL) as redis:
        assert 0 < redis.pttl(f"{prefix}:ten:somebody") <= 10**8
        assert all(redis.pttl(key) >= 0 for key in redis.scan_iter(f"{prefix}:*"))


def test_any_number_of_limits_costs_one_command(limiter: Limiter, settings: Any) -> None:
    limiter.spend([Demand(TEN, "warm-up")])
    with Redis.from_url(settings.REDIS_STATE_URL) as redis, redis.monitor() as monitor:
        limiter.spend([Demand(TEN, f"subject-{number}") for number in range(5)])
        redis.echo("the end")
        sent = []
        for command in monitor.listen():
            if command["command"] == "ECHO the end":
                break
            sent.append(command)

    ours = [each for each in sent if limiter.prefix in each["command"] and each["client_type"] != "lua"]
    assert [each["command"].partition(" ")[0] for each in ours] == ["EVALSHA"]


@pytest.mark.checklist(49)
def test_threads_that_race_are_admitted_exactly_as_often_as_the_limit_says(limiter: Limiter) -> None:
    meet = threading.Barrier(20)
    counts: list[int] = []

    def spend() -> None:
        meet.wait(60)
        counts.append(admitted(limiter, TEN, 3))

    threads = [threading.Thread(target=spend) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(counts) == 20
    assert sum(counts) == 10


@pytest.mark.checklist(49)
def test_processes_that_race_are_admitted_exactly_as_often_as_the_limit_says(settings: Any, prefix: str) -> None:
    spelled = "25/1000000 burst 25 outage 1"
    command = [sys.executable, "-m", "tests.core.security.limiter_process", settings.REDIS_STATE_URL, prefix, spelled]
    racers = [
        subprocess.Popen([*command, "40"], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [racer.stdout and racer.stdout.readline() for racer in racers] == ["ready\n"] * 3
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()

    said = [racer.communicate(timeout=120)[0] for racer in racers]

    assert sum(map(int, said)) == 25


class TestOutage:
    """While the server is away or slow, each process keeps the lower numbers by itself."""

    def test_a_server_that_is_not_there_bounds_instead_of_failing(self) -> None:
        limiter = Limiter("redis://127.0.0.1:1/0", prefix="nowhere", pause=1000)

        assert admitted(limiter, TEN, 20) == 3
        assert not limiter.spend([Demand(TEN, "somebody")]).is_shared

    @pytest.mark.checklist(49)
    def test_a_server_that_stops_bounds_from_the_next_request_on(self, home: Path) -> None:
        url = ensure_servers({"DATABASE_URL": "postgres://elsewhere"}, home=home)["REDIS_URL"]
        limiter = Limiter(url, prefix="stopping", patience=60, pause=0)
        before = admitted(limiter, TEN, 4)

        stop_servers(home=home)
        during = admitted(limiter, TEN, 20)

        assert (before, during) == (4, 3)

    def test_a_server_that_hangs_bounds_instead_of_waiting(self, home: Path) -> None:
        url = ensure_servers({"DATABASE_URL": "postgres://elsewhere"}, home=home)["REDIS_URL"]
        (server,) = [each for each in processes_in(home) if "valkey-server" in each.name()]
        limiter = Limiter(url, prefix="hanging", patience=5, pause=0)
        assert limiter.spend([Demand(TEN, "somebody")]).is_shared

        limiter = Limiter(url, prefix="hanging", patience=0.05, pause=0)
        server.send_signal(signal.SIGSTOP)
        try:
            during = admitted(limiter, TEN, 10)
        finally:
            server.send_signal(signal.SIGCONT)

        assert during == 3

    def test_a_server_that_refuses_writes_bounds_too(self, home: Path) -> None:
        url = ensure_servers({"DATABASE_URL": "postgres://elsewhere"}, home=home)["REDIS_URL"]
        with Redis.from_url(url) as redis:
            redis.config_set("maxmemory", 1)
        limiter = Limiter(url, prefix="full", patience=60, pause=1000)

        assert admitted(limiter, TEN, 20) == 3

    def test_the_server_is_asked_again_after_the_pause(self, home: Path) -> None:
        url = ensure_servers({"DATABASE_URL": "postgres://elsewhere"}, home=home)["REDIS_URL"]
        (server,) = [each for each in processes_in(home) if "valkey-server" in each.name()]
        limiter = Limiter(url, prefix="returning", patience=0.5, pause=0.1)
        server.send_signal(signal.SIGSTOP)
        verdict = limiter.spend([Demand(TEN, "somebody")])
        server.send_signal(signal.SIGCONT)

        assert not verdict.is_shared
        assert eventually(lambda: limiter.spend([Demand(TEN, "somebody")]).is_shared)

    def test_one_request_at_a_time_finds_out_whether_the_server_is_back(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            limiter = Limiter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", prefix="silent", patience=1, pause=1000)
            assert not limiter.spend([Demand(TEN, "somebody")]).is_shared
            silent.accept()[0].close()
            limiter._alone_until = time.monotonic()

            asker = threading.Thread(target=limiter.spend, args=([Demand(TEN, "somebody")],))
            asker.start()
            asked, _ = silent.accept()
            others = [limiter.spend([Demand(FOUR, "another")]).is_shared for _ in range(3)]
            asker.join()

            silent.setblocking(False)
            with pytest.raises(BlockingIOError), asked:
                silent.accept()
        assert others == [False] * 3

    def test_threads_that_race_keep_to_the_lower_number(self) -> None:
        limiter = Limiter("redis://127.0.0.1:1/0", prefix="nowhere", pause=1000)
        meet = threading.Barrier(12)
        counts: list[int] = []

        def spend() -> None:
            meet.wait(60)
            counts.append(admitted(limiter, TEN, 5))

        threads = [threading.Thread(target=spend) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(counts) == 3

    def test_no_more_callers_are_remembered_than_there_is_room_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_LOCAL_BUCKETS", 5)
        limiter = Limiter("redis://127.0.0.1:1/0", prefix="nowhere", pause=1000)

        for number in range(50):
            limiter.spend([Demand(TEN, f"caller {number}")])

        assert len(limiter._alone._arrivals) == 5
