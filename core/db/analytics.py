"""Reading from the replica that is kept for analytics and reports, and knowing how old what is read is.

Questions over whole terms take long, and nobody needs the last second in their answers. They are put to a replica of
their own, which may be minutes behind: it rather lags than ends them. So no position is asked of it; what it has
replayed until is said with the answer. Where there is none, or it is away, the primary answers.

Who may see what is decided on the same replica, as far as rows decide it: nothing that may not be seen for one more
minute after a right was taken away belongs there.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from django.db import connections
from django.utils import timezone

from core.db.positions import ANALYTICS, Reads, reading, replica


class AnalyticsReads(Reads):
    """The reads of one request or job: from the replica for analytics, or from the primary."""

    def __init__(self) -> None:
        super().__init__()
        self._as_of: datetime | None = None

    @property
    def as_of(self) -> datetime:
        """An instant until which everything that was committed is in what is read."""
        self.alias()
        if self._as_of is None:
            self._as_of = timezone.now()
        return self._as_of

    def may_use(self, alias: str) -> bool:
        return self._replica is not None and self.alias() == alias

    def renew(self) -> None:
        """Stay where the first read went: what is read here is nobody's present."""

    def _decide(self) -> None:
        began = timezone.now()
        instant = replica(ANALYTICS).as_of() if ANALYTICS in connections.settings else None
        self._replica = None if instant is None else replica(ANALYTICS)
        self._as_of = instant or began


@contextmanager
def reading_for_analytics() -> Generator[AnalyticsReads]:
    """Let the block read from the replica for analytics; what it is given says how old that is.

    Writes, transactions and what follows a write in the block stay on the primary. What is read may be older than what
    was acknowledged: it is not for whoever decides, and nothing of it is kept as if it were the present.
    """
    reads = AnalyticsReads()
    with reading(reads):
        yield reads
