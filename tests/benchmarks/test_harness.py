"""What the benchmarks report, and that they measure what they say. How quick anything is, no test asks."""

from collections.abc import Callable

import pytest

from accounts.models import User
from accounts.roles import Role
from benchmarks import authorization, imports
from benchmarks.harness import Size, difference, in_turn, milliseconds, ratio


def test_contenders_take_turns_and_whoever_came_first_comes_last_in_the_next_round() -> None:
    called: list[str] = []

    def measuring(name: str) -> Callable[[], float]:
        return lambda: called.append(name) or len(called)

    rounds = in_turn({"one": measuring("one"), "other": measuring("other")}, 2)

    assert called == ["one", "other", "one", "other", "other", "one"]
    assert rounds == [{"one": 3, "other": 4}, {"other": 5, "one": 6}]


def test_a_call_is_timed_as_often_as_is_said() -> None:
    called: list[None] = []

    assert milliseconds(lambda: called.append(None), 3)() >= 0
    assert len(called) == 3


def test_a_difference_is_taken_within_each_round() -> None:
    # The machine got slower from round to round; the difference did not.
    rounds = [{"slow": 2.0, "quick": 1.0}, {"slow": 21.0, "quick": 20.0}, {"slow": 301.0, "quick": 300.0}]

    assert difference(rounds, "slow", "quick") == 1.0


def test_a_ratio_is_taken_within_each_round() -> None:
    rounds = [{"one": 2.0, "other": 1.0}, {"one": 40.0, "other": 10.0}, {"one": 900.0, "other": 300.0}]

    assert ratio(rounds, "one", "other") == 3.0


def test_an_import_is_held_to_its_rate_its_memory_and_to_refusing_nothing() -> None:
    printed = {"kind": "oulad", "rows": 6_000, "seconds": 3.0, "peak_mb": 410.5, "rejected": 0}

    measured = {each.unit: (each.bound, each.target, each.measured, each.ok) for each in imports.importing(printed)}

    assert measured == {
        "rows/s": ("at least", 1_500, 2_000, True), "MiB": ("at most", 400, 410.5, False),
        "of 6000": ("at most", 0, 0, True),
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)  # the keeper, a thread of its own, waits for whoever has ticked in one
def test_knowing_who_asks_and_what_they_may_costs_no_query_more(user_with: Callable[..., User]) -> None:
    for role in authorization.ROLES:
        user_with(role)

    measured = list(authorization.targets(Size(rounds=1, calls=1)))

    added = {each.name: each.measured for each in measured if each.unit == "queries"}
    assert added == {f"authorisation of a {role}: queries added": 0 for role in (Role.REGISTRAR, Role.STUDENT)}
