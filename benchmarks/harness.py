"""How contenders are measured, and what is said of them.

Contenders take turns, in short rounds, so that a machine whose speed drifts does so for all of them alike; what is
reported is the median over the rounds of what each round says by itself.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True)
class Size:
    """How long to measure: `rounds` in turn, each of `calls` calls of every contender; `loads` of `seconds` each."""

    rounds: int
    calls: int
    loads: int = 1
    seconds: int = 1


QUICK = Size(rounds=3, calls=10, loads=1, seconds=1)
FULL = Size(rounds=41, calls=60, loads=5, seconds=4)


@dataclass(frozen=True)
class Target:
    """One claim: what was measured, and the bound it is held to (`at most` or `at least`)."""

    name: str
    bound: Literal["at most", "at least"]
    target: float
    measured: float
    unit: str
    # Off for what is printed for orientation alone: it is no promise.
    is_promise: bool = True
    # On for what has to hold however little is measured, and however slow the machine is.
    is_correctness: bool = False

    @property
    def ok(self) -> bool:
        return self.measured <= self.target if self.bound == "at most" else self.measured >= self.target

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written: what is no promise has no bound and no verdict."""
        measured = {"name": self.name, "measured": round(self.measured, 4), "unit": self.unit}
        if not self.is_promise:
            return measured
        promised = {"bound": self.bound, "target": self.target, "is_correctness": self.is_correctness}
        return {**measured, **promised, "ok": self.ok}


def never(name: str, wrong: int, among: int) -> Target:
    """Return the promise that something wrong has happened in no case among so many."""
    return Target(name, "at most", 0, wrong, f"of {among}", is_correctness=True)


def told(name: str, measured: float, unit: str) -> Target:
    """Return a figure that is printed for orientation alone."""
    return Target(name, "at least", 0, measured, unit, is_promise=False)


def in_turn(contenders: Mapping[str, Callable[[], float]], rounds: int) -> list[dict[str, float]]:
    """Return for each round what each contender measured there; what each measures first of all is forgotten."""
    for measure in contenders.values():
        measure()
    names = list(contenders)
    # Whoever comes first in one round comes last in the next: neither always finds the caches warm.
    orders = cycle([names, names[::-1]])
    return [{name: contenders[name]() for name in next(orders)} for _ in range(rounds)]


def difference(rounds: Sequence[Mapping[str, float]], one: str, other: str) -> float:
    """Return by how much one contender's figure is above the other's: the median over the rounds."""
    return median(each[one] - each[other] for each in rounds)


def ratio(rounds: Sequence[Mapping[str, float]], one: str, other: str) -> float:
    """Return how many times the other contender's figure one contender's is: the median over the rounds."""
    return median(each[one] / each[other] for each in rounds)


def milliseconds(call: Callable[[], object], calls: int) -> Callable[[], float]:
    """Return what measures how long one call takes: the median of so many calls."""

    def measure() -> float:
        taken = []
        for _ in range(calls):
            began = time.perf_counter()
            call()
            taken.append(time.perf_counter() - began)
        return median(taken) * 1000

    return measure
