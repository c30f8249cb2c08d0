"""A run over days: calm, something goes wrong, calm again; and how long it took until all was as before."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.staleness.book import Verdict
from benchmarks.staleness.checker import Checker
from benchmarks.staleness.days import Day, is_well
from benchmarks.staleness.reader import EDGE, EXACT, SERVER
from benchmarks.staleness.scene import Scene
from benchmarks.staleness.stack import RunningStack, StackIsDownError
from benchmarks.staleness.wire import now

# A day after which not everybody is served as before within so long has not ended well.
RECOVERY_SECONDS = 60.0
# And what is promised: a pool gives up a connection after 8 seconds, and others come back meanwhile.
MOST_RECOVERY_SECONDS = 15.0
WAYS, REMEMBERING = (EDGE, EXACT, SERVER), (EDGE, SERVER)


@dataclass(frozen=True)
class Pace:
    """How long it is calm before a day, how long the day lasts, and how busy everybody is."""

    calm: float
    bad: float
    # Seconds that a writer rests after each write; how often in a row what is remembered is asked.
    rest: float
    often: int
    # Seconds between two questions of somebody whom the application answers.
    gap: float
    # For how many seconds at most it goes on after the last day, while reads are lacking.
    longest: float = 0


SHORT = Pace(calm=0.5, bad=1.5, rest=0.3, often=10, gap=0)
QUICK = Pace(calm=2.0, bad=2.0, rest=1.0, often=100, gap=0.05, longest=10)
FULL = Pace(calm=4.0, bad=7.0, rest=1.0, often=100, gap=0.05, longest=120)


@dataclass
class Outcome:
    """What came of a run: the verdict, and after each day the seconds until everybody was served as before."""

    verdict: Verdict
    recoveries: dict[str, float] = field(default_factory=dict)


def run(scene: Scene, days: Sequence[Day], pace: Pace, *, at_least: int = 0) -> Outcome:
    """Check a scene through these days, and on until there were so many reads or it has taken too long.

    Raises `StackIsDownError` if the stack does not come back.
    """
    checker = scene.checker(often=pace.often, gap=pace.gap)
    verdict = checker.course.verdict
    outcome = Outcome(verdict)

    async def through() -> None:
        for day in days:
            await scene.stay_logged_in()
            await asyncio.sleep(pace.calm)
            refused = verdict.counted["refused for now"]
            await asyncio.to_thread(day.act, scene.stack, pace.bad)
            if day.is_deploy and verdict.counted["refused for now"] != refused:
                verdict.find("broken", f"refused while {day.name}: {verdict.last_refusal}")
            outcome.recoveries[day.name] = await _recovered(checker, scene.stack, day)
        until = now() + pace.longest
        await asyncio.sleep(pace.calm)
        while verdict.reads < at_least and now() < until:
            await scene.stay_logged_in()
            await asyncio.sleep(pace.calm)

    async def both() -> None:
        await scene.stay_logged_in()
        await checker.run(scene.accounts, scene.writer, through, rest=pace.rest)

    asyncio.run(both())
    return outcome


def until_found(scene: Scene, kind: str, *, seconds: float = RECOVERY_SECONDS) -> Verdict:
    """Check a scene until something of this kind is found, or for so long."""
    checker = scene.checker(often=SHORT.often, gap=SHORT.gap)

    async def search() -> None:
        until = now() + seconds
        while not checker.course.verdict.counted[kind] and now() < until:
            await asyncio.sleep(0.05)

    async def both() -> None:
        await scene.stay_logged_in()
        await checker.run(scene.accounts, scene.writer, search, rest=SHORT.rest)

    asyncio.run(both())
    return checker.course.verdict


async def _recovered(checker: Checker, stack: RunningStack, day: Day) -> float:
    """Return after how many seconds every way answered, and answered from memory, once a day was over."""
    over = now()
    while not _is_as_before(checker, over) or not await asyncio.to_thread(is_well, stack):
        if now() > over + RECOVERY_SECONDS:
            raise StackIsDownError(f"{RECOVERY_SECONDS:.0f} seconds after {day.name} it is not as before")
        await asyncio.sleep(0.05)
    return now() - over


def _is_as_before(checker: Checker, over: float) -> bool:
    told = [checker.course.answered.get(way, 0) for way in WAYS] + [
        checker.course.remembered.get(way, 0) for way in REMEMBERING
    ]
    return min(told) > over
