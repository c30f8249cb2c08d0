"""What a stack leaves that was killed, found and ended: no start of another stumbles over it."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

from campushub360.local.engine import Engine
from campushub360.local.engines import Postgres


class _Anything(Postgres):
    """Whatever server works in any folder of the stack."""

    name = "."
    process_names = ("postgres", "initdb", "sh", "pg_basebackup", "valkey-server", "pgbouncer", "nginx")


def leftovers(home: Path) -> list[psutil.Process]:
    """Return the processes of the stack below `home`: its servers, and whoever holds its lock open."""
    lock = str((home / "lock").resolve())
    found = []
    for process in psutil.process_iter(["name"]):
        if process.pid == os.getpid():
            continue
        with suppress(psutil.Error, OSError):
            if works_in(process, home) or any(file.path == lock for file in process.open_files()):
                found.append(process)
    return found


def end_leftovers(home: Path) -> None:
    """End what a killed stack left, servers as they like it."""
    servers: Engine = _Anything(home)
    for process in leftovers(home):
        if not works_in(process, home):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    servers.stop_strays()


def works_in(process: psutil.Process, home: Path) -> bool:
    """Return whether a process is a server of the stack below `home`."""
    try:
        is_there = Path(process.cwd()).is_relative_to(home.resolve())
        return process.name() in _Anything.process_names and is_there and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
