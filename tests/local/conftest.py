"""Servers of their own for tests that kill them."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from campushub360.local.servers import release_servers, stop_servers


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return a place for servers, which are down when the test is over."""
    home = tmp_path / ".campus"
    yield home
    release_servers(home=home)
    stop_servers(home=home)


def processes_in(folder: Path) -> list[psutil.Process]:
    """Return the living processes that work in `folder` or name it on their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd(), *process.cmdline()]
            is_dead = process.status() == psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if not is_dead and any(word.startswith(str(folder)) for word in words):
            found.append(process)
    return found


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """Kill the processes that are still there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def eventually(condition: Callable[[], bool], *, seconds: float = 30) -> bool:
    """Return whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
