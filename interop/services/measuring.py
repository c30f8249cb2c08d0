"""What a run costs: time, and the most memory the process has had."""

import gc
import resource
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal

KIB_PER_MIB = 1024


class Meter:
    """Measures from its making on."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> Decimal:
        """Return the seconds since the beginning, or since the last time it was asked."""
        now = time.monotonic()
        spent, self._start = now - self._start, now
        return Decimal(f"{spent:.3f}")


def peak_mb() -> Decimal:
    """Return the most memory, in MiB, that this process has occupied."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kib = peak / KIB_PER_MIB if sys.platform == "darwin" else peak
    return Decimal(f"{kib / KIB_PER_MIB:.1f}")


@contextmanager
def undisturbed() -> Generator[None]:
    """Spare the garbage collector what was there before.

    A run makes a hundred thousand rows that live for a moment. Each time the collector looks for
    cycles among them it would look through the whole framework as well, which took a third of the
    time of an import.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
