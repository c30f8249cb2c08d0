"""The stack while parts of it fail, read and written all the time: slower, never stale, never somebody else's.

Collected with `test_stack`, whose stack it shares.
"""

from contextlib import nullcontext

import pytest

from benchmarks.staleness.days import DAYS, Day, none_replays
from benchmarks.staleness.run import MOST_RECOVERY_SECONDS, SHORT, run, until_found
from benchmarks.staleness.scene import Scene
from tests.stack.conftest import Build

needs_everything = pytest.mark.needs("nginx", "pgbouncer", "libnginx-mod-http-lua")


# Each breaks one line of one promise: in which file, what it says, what it says then, and what has to be found.
BROKEN = {
    "nobody raises generations": (
        "core/cache/commits.py", "generations().raise_to(position, tags, commit=self.commit)", "pass", "stale",
    ),
    "a replica is believed unasked": (
        "core/db/positions.py",
        "return seen is not None and seen.timeline == needed.timeline and seen.lsn >= needed.lsn",
        "return True",
        "stale",
    ),
    "all sights are one": (
        "core/api/remembered.py", "orjson.dumps([held, str(user.pk) if alone else None])", "b\"\"", "crossed",
    ),
}  # fmt: skip


@needs_everything
@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name.replace(" ", "-"))
def test_nobody_is_told_what_is_old_or_not_theirs_when(scene: Scene, day: Day) -> None:
    outcome = run(scene, [day], SHORT)

    assert outcome.verdict.findings == []
    assert outcome.verdict.reads > 0
    assert outcome.recoveries[day.name] <= MOST_RECOVERY_SECONDS


@needs_everything
class TestTheChecker:
    """Finds what it is there to find."""

    @pytest.mark.parametrize("what", BROKEN)
    def test_finds_fault_with_a_build_in_which(self, build: Build, what: str) -> None:
        name, line, by, kind = BROKEN[what]

        scene = build.break_line(name, line, by)
        with none_replays(scene.stack) if "replica" in what else nullcontext():
            verdict = until_found(scene, kind)

        assert verdict.counted[kind] > 0, verdict.counted
