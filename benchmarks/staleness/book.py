"""What was acknowledged when, and what was seen: the oracle of the checker."""

import re
from collections import Counter, deque
from dataclasses import dataclass, field

# Every value says whose it is and how often it was written: `stale.north-student.17`.
VALUE = re.compile(rb"stale\.([a-z-]+)\.(\d+)")
# So many findings are kept word for word; the rest is counted.
EXAMPLES = 10


@dataclass
class Row:
    """One row of the product that is written all the time, by one writer."""

    label: str
    path: str
    writes: str
    tried: int = 0
    # The acknowledged writes of the last while, oldest first: when, and which.
    _acknowledged: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=1000))

    def value(self, version: int) -> str:
        return f"stale.{self.label}.{version}"

    @property
    def is_written(self) -> bool:
        return bool(self._acknowledged)

    def acknowledge(self, version: int, *, at: float) -> None:
        self._acknowledged.append((at, version))

    def meet(self, body: bytes) -> None:
        """Go on from what a body shows, where somebody else has written before."""
        self.tried = max(self.tried, versions_in(body).get(self.label, 0))

    def least(self, instant: float) -> int:
        """Return the last version that had been acknowledged at an instant; 0 where that is too long ago."""
        return next((version for at, version in reversed(self._acknowledged) if at <= instant), 0)


def versions_in(body: bytes) -> dict[str, int]:
    """Return the rows that a body shows, and in which version; the oldest where it shows several."""
    found: dict[str, int] = {}
    for label, version in VALUE.findall(body):
        name, number = label.decode(), int(version)
        found[name] = min(found.get(name, number), number)
    return found


@dataclass
class Verdict:
    """What came of a run."""

    counted: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    # What was told last to somebody who is to come back later: where, and in which words.
    last_refusal: str = ""

    def find(self, kind: str, what: str) -> None:
        """Count something that must not be."""
        self.counted[kind] += 1
        if len(self.findings) < EXAMPLES:
            self.findings.append(f"{kind}: {what}")

    @property
    def reads(self) -> int:
        """Return how many reads were answered and checked."""
        return self.counted["reads"]

    @property
    def stale(self) -> int:
        return self.counted["stale"]

    @property
    def crossed(self) -> int:
        """Return how many answers held what their reader may not see, or went to somebody who may see nothing."""
        return self.counted["crossed"]

    @property
    def is_clean(self) -> bool:
        return not self.findings
