"""What is made of the rates of a run, and of what was answered. How quick anything is, no test asks."""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest

from benchmarks import edge, hits, log_ins, mixed, tables
from benchmarks.contenders import DifferentAnswersError, essence, require_same
from benchmarks.load import LoadError
from benchmarks.replay import Replayed, Request, read, zipf

SAID = "\n".join(
    [
        "  300 requests in 1.00s, 1.00MB read",
        "  Non-2xx or 3xx responses: 100",
        "Requests/sec:    290.00",
        "Answered: 200 EDGE-HIT=90;200 -=10;200 MISS=5;200 HIT=95;409 -=100",
        "Replayed Requests/sec:      300.00\n",
    ]
)


def verdicts(targets: Iterable[Any]) -> dict[str, tuple[float, bool]]:
    return {each.name: (round(each.measured, 6), each.ok) for each in targets if each.is_promise}


def test_a_hit_is_compared_with_its_baseline_within_each_round() -> None:
    quick = {"application hit": 50.0, "bare Django": 100.0}
    slow = {"application hit": 7.0, "bare Django": 10.0}

    assert verdicts(hits.judged([quick, slow, slow])) == {"application hit ÷ bare Django": (0.7, True)}


def test_the_edge_is_held_to_a_ratio_and_to_a_rate() -> None:
    rounds = [{"edge hit": 35_000.0, "static file": 50_000.0, "edge hit over TLS": 20_000.0}]

    assert verdicts(edge.judged(rounds)) == {"edge hit ÷ static file": (0.7, True), "edge hit": (35_000.0, False)}


def test_log_ins_that_fail_are_held_to_one_another_by_their_medians() -> None:
    alike = {"unknown": [9.0, 1.0, 1.0, 5.0], "known": [1.0, 1.05, 1.05, 1.05]}
    longer = {"unknown": [1.0, 1.0, 1.0], "known": [1.0, 1.0, 1.2], "locked": [1.0, 1.2, 1.2]}

    judged = verdicts(log_ins.judged(alike, longer))

    assert judged == {
        "log-ins that fail: longest ÷ shortest median, by the clock": (1.05, True),
        "log-ins that fail: longest ÷ shortest median, by the processor": (1.2, False),
    }


def test_deep_pages_and_large_tables_are_held_to_the_first_page_of_the_same_and_of_the_small_table() -> None:
    rates = {"small list": 150, "large list": 100, "deep list": 80, "large plain DRF": 10, "deep plain DRF": 1}

    judged = verdicts(tables.judged([rates], 50_000, 4_000))

    assert judged == {
        "page 1 ÷ page 4000, by cursor": (1.25, True),
        "list of 50000 rows ÷ list of 500000": (1.5, False),
    }


@pytest.mark.parametrize(("rows", "page"), [(0, 1), (24, 1), (1_000, 40), (100_000, 4_000), (500_000, 4_000)])
def test_the_deep_page_is_full_and_no_deeper_than_need_be(rows: int, page: int) -> None:
    assert tables.deepest(rows) == page


def test_what_many_requests_were_answered_is_told_apart() -> None:
    came = read(SAID, "http://127.0.0.1:1")

    assert (came.rate, came.total, came.from_memory, came.of_status(409)) == (300.0, 300, 185, 100)


@pytest.mark.parametrize("said", ["", "Replayed Requests/sec: 1.00\n", f"{SAID}  Socket errors: connect 0, read 3"])
def test_requests_that_were_not_answered_are_no_measurement(said: str) -> None:
    with pytest.raises(LoadError):
        read(said, "http://127.0.0.1:1")


def test_the_hit_rate_is_that_of_the_reads() -> None:
    came = Replayed(10.0, Counter({(200, "EDGE-HIT"): 90, (200, "HIT"): 6, (200, "MISS"): 3, (200, "-"): 6}))

    assert verdicts(mixed.judged(came, writes=5)) == {"mixed load: hit rate": (0.96, True)}
    assert verdicts(mixed.judged(came, writes=9)) == {"mixed load: hit rate": (0.969697, True)}


def test_the_first_of_many_are_asked_for_most_often() -> None:
    asked = Counter(zipf("abc", Random(1), 11_000))

    assert asked["a"] > 1.5 * asked["b"] > 1.8 * asked["c"]


def test_a_request_is_one_line() -> None:
    assert Request("/a/", "token", "PATCH", '{"b": 1}').line() == 'PATCH\t/a/\ttoken\t{"b": 1}'
    assert mixed.interleaved("ab", "xyz", "1") == ["a", "x", "1", "b", "y", "z"]


def test_answers_are_the_same_whenever_they_were_made_and_nothing_else_may_differ() -> None:
    first, later, other = (
        b'{"data":[1],"timestamp":"1"}', b'{"data":[1],"timestamp":"2"}', b'{"data":[2],"timestamp":"2"}',
    )  # fmt: skip

    require_same({"first": essence(first), "later": essence(later)})
    with pytest.raises(DifferentAnswersError, match="made anew answers"):
        require_same({"made anew": essence(first), "kept": essence(other)})
