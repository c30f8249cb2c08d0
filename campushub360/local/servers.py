"""Having PostgreSQL and Valkey: those the environment names, or the checkout's own.

Whoever calls `ensure_servers` may use the servers until its process ends, by whatever means; the last one to end takes
them down. So a command works whether or not `make run` is up, and nothing is left running when nothing is.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from campushub360.local import CHECKOUT, HOME
from campushub360.local.engine import SLOW_START_SECONDS, Engine, ServersError, is_free
from campushub360.local.engines import ENGINES
from campushub360.local.keeper import PATIENCE
from campushub360.local.locks import is_held, open_lock, wait_for_lock

__all__ = [
    "ServersError",
    "ensure_servers",
    "leave_servers",
    "prepare_environment",
    "release_servers",
    "stop_servers",
    "user_locks",
]

_in_use: dict[Path, int] = {}


def prepare_environment(arguments: list[str]) -> None:
    """Fill DATABASE_URL and REDIS_URL for the command line `arguments` with the checkout's servers, if they are unset.

    Production never starts a server of its own, and a command that only prints about itself needs none.
    """
    words = set(arguments[1:])
    is_production = any(word.endswith(".production") for word in [*words, os.environ["DJANGO_SETTINGS_MODULE"]])
    if words and not is_production and not words & {"help", "--help", "-h", "version", "--version"}:
        os.environ.update(ensure_servers(os.environ))


def ensure_servers(environ: Mapping[str, str], *, home: Path = HOME) -> dict[str, str]:
    """Return the variables that `environ` lacks, naming servers that are running now; raise ServersError if unable."""
    needed = [kind(home) for kind in ENGINES if not environ.get(kind.variable)]
    try:
        return {engine.variable: _have(engine) for engine in needed}
    except OSError as error:
        raise ServersError(f"the local servers need to write to {home}: {error}") from error


def release_servers(*, home: Path = HOME) -> None:
    """Stop using the servers below `home` before the process ends."""
    for kind in ENGINES:
        lock = _in_use.pop(kind(home).folder, None)
        if lock is not None:
            os.close(lock)


def user_locks(*, home: Path = HOME) -> list[int]:
    """Return the descriptors that keep the servers up; a child that inherits them keeps the servers up, too."""
    return [_in_use[kind(home).folder] for kind in ENGINES if kind(home).folder in _in_use]


def stop_servers(*, home: Path = HOME, seconds: float = 40) -> None:
    """Stop the servers below `home` although somebody may be using them."""
    for kind in ENGINES:
        engine = kind(home)
        lock = engine.folder / "keeper.lock"
        deadline = time.monotonic() + seconds
        while is_held(lock):
            if time.monotonic() > deadline:
                raise ServersError(f"{engine.title} does not stop: see {engine.log}")
            state = _read_state(engine)
            if state is not None:
                os.kill(state["keeper"], 15)
            time.sleep(0.1)


def leave_servers(*, home: Path, seconds: float = 40) -> None:
    """Stop using the servers and wait until they are down, or until it is clear that somebody else uses them."""
    states = {kind: _read_state(kind(home)) for kind in ENGINES}
    release_servers(home=home)
    time.sleep(5 * PATIENCE)
    deadline = time.monotonic() + seconds
    for kind, state in states.items():
        # A keeper forgets its state before it stops its server: while it is there, it has other users.
        while state is not None and _lives(state["keeper"]) and _read_state(kind(home)) is None:
            if time.monotonic() > deadline:
                raise ServersError(f"{kind.title} takes long to stop: see {kind(home).log}")
            time.sleep(0.02)


def _have(engine: Engine) -> str:
    """Return the URL of a running `engine`, starting it unless somebody has."""
    if engine.folder not in _in_use:
        lock = open_lock(engine.folder / "users.lock")
        if not wait_for_lock(lock, shared=True, seconds=SLOW_START_SECONDS):
            os.close(lock)
            raise ServersError(f"{engine.title} is still shutting down: see {engine.log}")
        _in_use[engine.folder] = lock
    deadline = time.monotonic() + SLOW_START_SECONDS
    while time.monotonic() < deadline:
        if not is_held(engine.folder / "keeper.lock"):
            _start_keeper(engine)
        state = _read_state(engine)
        if state is not None and not is_free(state["port"]):
            return engine.url(state["port"])
        time.sleep(0.05)
    raise ServersError(f"{engine.title} is not ready after {SLOW_START_SECONDS} seconds: see {engine.log}")


def _start_keeper(engine: Engine) -> None:
    command = [sys.executable, "-m", "campushub360.local.keeper", engine.name, str(engine.home)]
    done = subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServersError(done.stderr.strip().splitlines()[-1] if done.stderr else f"{engine.title} does not start")


def _read_state(engine: Engine) -> dict[str, int] | None:
    try:
        state: dict[str, int] = json.loads((engine.folder / "state.json").read_text())
    except FileNotFoundError:
        return None
    return state


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
