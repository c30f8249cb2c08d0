"""Recurring chores: what they did is logged and kept, so that one that fails or stays away is seen.

A chore is a service that returns how many rows it dealt with. It may run at any time and twice at
once: whoever finds another at it gives way. The schedule (`CELERY_BEAT_SCHEDULE`) names it as its
management command does, which does the same by hand.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from core.db.locks import LockHeldError
from core.logging import describe
from core.models import Chore

logger = logging.getLogger(__name__)

# A worker may be busy with something long when a chore is due.
GRACE = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a chore of the schedule stands: `ok`, `failed` (the last time), `late` or `never` (done)."""

    name: str
    word: str
    last: Chore | None


def carry_out(name: str, work: Callable[[], int]) -> int | None:
    """Do a chore, log and keep how it ended, and return its count; None when another run is at it.

    What the chore raises is raised again.
    """
    _keep(name, started_at=Now())
    try:
        count = work()
    except LockHeldError:
        logger.info("chore.busy", extra={"chore": name})
        return None
    except Exception as error:
        logger.exception("chore.failed", extra={"chore": name})
        failure = f"{type(error).__qualname__} {describe(error)}".rstrip()
        _keep(name, started_at=Now(), failed_at=Now(), failure=failure[:500])
        raise
    _keep(name, started_at=Now(), succeeded_at=Now(), count=count)
    logger.info("chore.done", extra={"chore": name, "count": count})
    return count


def standings(*, at: datetime) -> list[Standing]:
    """Return how every chore of the schedule stands at an instant, in the order of the schedule."""
    kept = Chore.objects.in_bulk()
    return [
        Standing(name=name, word=_word(entry["schedule"], kept.get(name), at), last=kept.get(name))
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
    ]


def _word(schedule: Any, last: Chore | None, at: datetime) -> str:
    if last is None or (last.succeeded_at is None and last.failed_at is None):
        return "never"
    if last.succeeded_at is None or (last.failed_at is not None and last.failed_at > last.succeeded_at):
        return "failed"
    start, wait, _ = schedule.remaining_delta(last.succeeded_at)
    return "late" if start + wait + GRACE < at else "ok"


def _keep(name: str, **facts: Any) -> None:
    Chore.objects.bulk_create(
        [Chore(name=name, **facts)],
        update_conflicts=True,
        unique_fields=["name"],
        # A run began before it ended: the end leaves the beginning as it is.
        update_fields=[fact for fact in facts if fact != "started_at" or len(facts) == 1],
    )
