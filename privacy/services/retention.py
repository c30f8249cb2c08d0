"""Letting what is personal go when its time is over."""

import logging
from dataclasses import dataclass
from datetime import datetime

from core.privacy.retention import periods

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How much of something has had its time, and which chore takes it away."""

    what: str
    days: float
    chore: str
    due: int


def retention_standings(*, at: datetime) -> list[Standing]:
    """Return how every period stands; nothing is changed."""
    return [
        Standing(what=each.what, days=each.kept().total_seconds() / 86400, chore=each.chore, due=each.due(at))
        for each in periods()
    ]


def apply_retention(*, at: datetime) -> int:
    """Delete what has had its time and no other chore deletes, in small transactions; return how much.

    Of people whose records are held, nothing goes. Raises `LockHeldError` when somebody else is at it.
    """
    total = 0
    for each in periods():
        if each.apply is not None and (count := each.apply(at)):
            logger.info("retention.applied", extra={"what": each.what, "count": count})
            total += count
    return total
