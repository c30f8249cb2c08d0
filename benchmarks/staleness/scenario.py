"""The scenario of `make bench`: on the stack of this checkout, which is started where it does not run."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness import Target
from benchmarks.staleness.days import DAYS, cut_edge_off, flush
from benchmarks.staleness.run import FULL, QUICK, Outcome, run
from benchmarks.staleness.scene import Scene
from benchmarks.staleness.stack import RunningStack, StackIsDownError
from campushub360.local import CHECKOUT
from campushub360.local.stack import STACK

ENOUGH_READS, A_FEW_READS = 200_000, 5_000
QUICK_DAYS = [day for day in DAYS if day.act in (flush, cut_edge_off)]


def targets(*, quick: bool) -> list[Target]:
    """Return what was found in all reads together; raise `StackIsDownError` where there is no stack."""
    with running() as stack:
        scene = Scene.on(stack)
        outcome = (
            run(scene, QUICK_DAYS, QUICK, at_least=A_FEW_READS)
            if quick
            else run(scene, DAYS, FULL, at_least=ENOUGH_READS)
        )
    for line in [*outcome.verdict.findings, *_told(outcome)]:
        sys.stdout.write(f"{line}\n")
    verdict = outcome.verdict
    counted, slowest = verdict.counted, max(outcome.recoveries.values())
    for_orientation = {
        "checked reads from memory": (counted["EDGE-HIT"] + counted["HIT"], "reads"),
        "writes beside checked reads": (counted["writes"], "writes"),
        "slowest recovery from a bad day": (slowest, "s"),
    }
    return [
        Target("stale reads", "at most", 0, verdict.stale + counted["false tag"], "reads"),
        Target("answers across scopes", "at most", 0, verdict.crossed, "reads"),
        Target("errors but 503 with Retry-After", "at most", 0, counted["broken"], "answers"),
        Target("checked reads", "at least", 0 if quick else ENOUGH_READS, verdict.reads, "reads"),
        *[
            Target(name, "at least", 0, value, unit, is_promise=False)
            for name, (value, unit) in for_orientation.items()
        ],
    ]


def _told(outcome: Outcome) -> Iterator[str]:
    for name, seconds in outcome.recoveries.items():
        yield f"  {name}: as before after {seconds:.1f} s"


@contextmanager
def running() -> Iterator[RunningStack]:
    """Provide the stack of this checkout, and end it again if it was not there."""
    stack = RunningStack(STACK)
    try:
        was_up = bool(stack.supervisor)
    except StackIsDownError:
        was_up = False
        _make("up")
    try:
        yield stack
    finally:
        if not was_up:
            _make("down")


def _make(word: str) -> None:
    done = subprocess.run([sys.executable, "-m", "campushub360.local.stack", word], cwd=CHECKOUT, check=False)
    if done.returncode != 0:
        raise StackIsDownError("the stack did not start or end; the lines above say why")
