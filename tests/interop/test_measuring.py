"""What an import says that it needed is what it needed, whatever its process did before."""

import gc
from pathlib import Path

import pytest

from interop.services.measuring import Meter, peak_of_process

MIB = 1024 * 1024
LARGE = 256


def needing(mebibytes: int) -> None:
    """Occupy memory for a moment."""
    assert len(bytearray(b"x") * (mebibytes * MIB)) == mebibytes * MIB
    gc.collect()


def status(process: Path, *, resident: int, peak: int) -> None:
    lines = ["Name:\tpython", f"VmHWM:\t{peak * 1024} kB", f"VmRSS:\t{resident * 1024} kB", ""]
    (process / "status").write_text("\n".join(lines))


def test_what_was_needed_before_a_run_is_not_counted() -> None:
    before = Meter()
    needing(LARGE)
    peak_before = float(before.peak_mb())

    during = Meter()

    is_known = Path("/proc/self/status").exists()  # elsewhere there is only the peak of the whole process
    assert not is_known or float(during.peak_mb()) < peak_before - LARGE / 2


def test_what_is_needed_for_a_moment_during_a_run_is_counted() -> None:
    meter = Meter()
    before = float(meter.peak_mb())

    needing(LARGE)

    assert float(meter.peak_mb()) > before + LARGE / 2


def test_where_the_peak_cannot_be_set_back_the_memory_is_read_whenever_asked(tmp_path: Path) -> None:
    (tmp_path / "clear_refs").mkdir()  # so that nobody can write to it
    meter = Meter(tmp_path)

    for resident in (100, 180, 120):
        status(tmp_path, resident=resident, peak=900)
        meter.peak_mb()

    assert float(meter.peak_mb()) == 180


def test_where_nothing_is_said_the_peak_of_the_process_is_all_there_is(tmp_path: Path) -> None:
    meter = Meter(tmp_path / "nowhere")

    assert float(meter.peak_mb()) == pytest.approx(peak_of_process() / 1024, abs=1)
