"""What a run costs: time, and the most memory its process occupied meanwhile.

The memory is that of the whole process, interpreter and framework included, but only of the time of
the run: what a worker needed for another task before does not count. Where the kernel can be told
to forget the peak so far (Linux: `/proc/self/clear_refs`), it keeps the exact one. Where it may not
be told, the memory is read at each chunk, and a peak between two chunks escapes. Where it cannot be
read either, there is only the peak since the process began.
"""

import gc
import resource
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

KIB_PER_MIB = 1024
# After so many more objects than went, the garbage collector looks at the youngest.
RARELY = 50_000
# man 5 proc: the number that sets the peak back to what is occupied at present.
RESET_PEAK = "5"


class Meter:
    """Measures from its making on; of the memory, one at a time in a process."""

    def __init__(self, process: Path = Path("/proc/self")) -> None:
        self._start = time.monotonic()
        self._status = process / "status"
        self._highest = 0
        try:
            (process / "clear_refs").write_text(RESET_PEAK, encoding="ascii")
            self._counts = "VmHWM"
        except OSError:
            self._counts = "VmRSS"

    def seconds(self) -> Decimal:
        """Return the seconds since the beginning, or since the last time it was asked."""
        now = time.monotonic()
        spent, self._start = now - self._start, now
        return Decimal(f"{spent:.3f}")

    def peak_mb(self) -> Decimal:
        """Return the most memory, in MiB, that the process has occupied since the beginning.

        Ask at each chunk: what happens between two questions is exact only where the kernel keeps it.
        """
        self._highest = max(self._highest, self._occupied() or peak_of_process())
        return Decimal(f"{self._highest / KIB_PER_MIB:.1f}")

    def _occupied(self) -> int:
        """Return what the kernel says, in KiB; 0 where it says nothing."""
        try:
            lines = self._status.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith(f"{self._counts}:")), 0)


def peak_of_process() -> int:
    """Return the most memory, in KiB, that this process has occupied since it began."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // KIB_PER_MIB if sys.platform == "darwin" else peak


@contextmanager
def undisturbed() -> Generator[None]:
    """Spare the garbage collector what was there before.

    A run makes a hundred thousand rows that live for a moment. Each time the collector looks for
    cycles among them it would look through the whole framework as well, which took a third of the
    time of an import. It looks less often, too: there is hardly a cycle among them.
    """
    usually = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(RARELY, *usually[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usually)
        gc.unfreeze()
