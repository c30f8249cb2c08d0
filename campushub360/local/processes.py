"""The children of a supervisor, each in a session of its own so that Ctrl-C reaches the supervisor alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from campushub360.local import CHECKOUT
from campushub360.local.privileges import becoming

LARGEST_LOG = 10 * 1024 * 1024
LINES_SHOWN = 15


@dataclass
class Child:
    """One long-running program, what it is called, and how long it may take to stop."""

    name: str
    arguments: Sequence[str]
    patience: float = 35
    program: str = sys.executable
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    log: Path = field(default=Path(), init=False)

    def start(self, environment: Mapping[str, str], logs: Path, inherited: Sequence[int]) -> None:
        """Start the program, its output going to a file in `logs`."""
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{self.name}.log"
        is_large = self.log.exists() and self.log.stat().st_size > LARGEST_LOG
        with self.log.open("wb" if is_large else "ab") as output:
            self.process = subprocess.Popen(
                [self.program, *self.arguments],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=inherited,
                start_new_session=True,
                # Killed with no chance to say goodbye, the supervisor still takes its children along.
                preexec_fn=becoming(None, death_signal=signal.SIGTERM),  # noqa: PLW1509 - no thread runs at this point
            )

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs."""
        return self.process.poll() if self.process is not None else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self, *, at_once: bool) -> None:
        """Ask it to end, wait, and end it with whatever it started if it does not."""
        if self.process is None:
            return
        if self.is_running and not at_once:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                at_once = True
        end_session(self.process.pid)
        self.process.wait()

    def last_words(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").rstrip().splitlines()[-LINES_SHOWN:])


def identity_of(pid: int) -> tuple[int, float]:
    """Return what tells this process from a later one with the same number."""
    return pid, psutil.Process(pid).create_time()


def is_alive(identity: Sequence[float] | None) -> bool:
    """Return whether the process that `identity_of` told of is still there."""
    if identity is None:
        return False
    try:
        process = psutil.Process(int(identity[0]))
        return process.create_time() == identity[1] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_session(leader: int, *, seconds: float = 5) -> None:
    """Kill everything in the process group that `leader` began, and wait until it is gone."""
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            os.killpg(leader, signal.SIGKILL)
            time.sleep(0.02)
    except (ProcessLookupError, PermissionError):  # nobody is left in it (or the number is another's by now)
        return
