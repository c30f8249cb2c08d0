"""The worker of `make run`: the scheduler that it forks ends with it, however it ends.

`celery worker --beat` saves the memory of another process, but a scheduler whose worker was killed would live on.
"""

import signal

from celery.signals import beat_embedded_init

from campushub360.celery import app
from campushub360.local.privileges import becoming

__all__ = ["app"]

_end_with_this_process = becoming(None, death_signal=signal.SIGTERM)


@beat_embedded_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def end_with_the_worker(**_facts: object) -> None:
    """Runs in the scheduler's process."""
    _end_with_this_process()
