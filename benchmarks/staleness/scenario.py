"""The scenario of `make bench`: on the stack of this checkout, which is started where it does not run."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness import Target, never, told
from benchmarks.staleness.days import DAYS, cut_edge_off, flush
from benchmarks.staleness.run import FULL, MOST_RECOVERY_SECONDS, QUICK, Outcome, run
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
    return [
        never("stale reads", verdict.stale + counted["false tag"], verdict.reads),
        never("answers across scopes", verdict.crossed, verdict.reads),
        never("errors but 503 with Retry-After", counted["broken"], verdict.reads),
        Target(
            "checked reads",
            "at least",
            A_FEW_READS if quick else ENOUGH_READS,
            verdict.reads,
            "reads",
            is_correctness=True,
        ),
        Target("slowest recovery from a bad day", "at most", MOST_RECOVERY_SECONDS, slowest, "s"),
        told("checked reads from memory", counted["EDGE-HIT"] + counted["HIT"], "reads"),
        told("writes beside checked reads", counted["writes"], "writes"),
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
