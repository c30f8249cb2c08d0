"""How contenders are measured, and what a run reports.

Contenders take turns, in short rounds, so that a machine whose speed drifts does so for all of them alike; what is
reported is the median over the rounds of what each round says by itself.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True)
class Size:
    """How long to measure: `rounds` in turn, each of `calls` calls of every contender; `loads` of `seconds` each."""

    rounds: int
    calls: int
    loads: int = 1
    seconds: int = 1


QUICK = Size(rounds=9, calls=20, loads=2, seconds=2)
FULL = Size(rounds=41, calls=60, loads=5, seconds=5)


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

    @property
    def ok(self) -> bool:
        return self.measured <= self.target if self.bound == "at most" else self.measured >= self.target

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "measured": round(self.measured, 4), "ok": self.ok}


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


def report(targets: Sequence[Target], *, machine: Mapping[str, Any], commit: str, file: Path) -> str:
    """Write the results of a run as JSON, and return them as a table."""
    rows = [target.as_json() for target in targets]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": machine, "commit": commit, "targets": rows}, indent=2) + "\n")
    width = max(len(target.name) for target in targets)
    lines = [f"{'':{width}}  {'measured':>16}  target"]
    for target in targets:
        measured = f"{target.measured:.3f}".rstrip("0").rstrip(".")
        verdict = f"{target.bound} {target.target:g}: {'met' if target.ok else 'MISSED'}" if target.is_promise else ""
        lines.append(f"{target.name:{width}}  {measured + ' ' + target.unit:>16}  {verdict}".rstrip())
    return "".join(f"{line}\n" for line in lines)
