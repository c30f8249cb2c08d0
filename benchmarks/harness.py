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
    """How long to measure: `rounds` in turn, each of `calls` calls of every contender."""

    rounds: int
    calls: int


QUICK = Size(rounds=9, calls=20)
FULL = Size(rounds=41, calls=60)


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


def in_turn(contenders: Mapping[str, Callable[[], object]], size: Size) -> list[dict[str, float]]:
    """Return for each round what one call of each contender took there: the median of its calls, in milliseconds."""
    for call in contenders.values():
        for _ in range(size.calls):
            call()
    names = list(contenders)
    # Whoever comes first in one round comes last in the next: neither always finds the caches warm.
    orders = cycle([names, names[::-1]])
    return [{name: _milliseconds(contenders[name], size.calls) for name in next(orders)} for _ in range(size.rounds)]


def difference(rounds: Sequence[Mapping[str, float]], one: str, other: str) -> float:
    """Return by how much one contender is slower than the other: the median over the rounds, in milliseconds."""
    return median(each[one] - each[other] for each in rounds)


def _milliseconds(call: Callable[[], object], calls: int) -> float:
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000


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
