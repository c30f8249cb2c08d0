"""Advisory file locks. The system releases them when their holder dies, however it dies: none is ever stale."""

import fcntl
import os
import time
from pathlib import Path


def open_lock(path: Path) -> int:
    """Return a descriptor of the lock file `path`, which is created if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if nobody is in the way, and return whether it was taken."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(descriptor: int, *, shared: bool = False, seconds: float) -> bool:
    """Take the lock within `seconds`, and return whether it was taken."""
    deadline = time.monotonic() + seconds
    while not try_lock(descriptor, shared=shared):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_held(path: Path) -> bool:
    """Return whether some process holds the lock file `path` exclusively."""
    if not path.exists():
        return False
    descriptor = open_lock(path)
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)
