"""Servers and runs of their own for tests that kill them."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from campushub360.local import CHECKOUT
from campushub360.local.clean import clean
from campushub360.local.engine import free_port
from campushub360.local.privileges import Account, becoming
from campushub360.local.servers import release_servers, stop_servers

LEFT_BEHIND = shutil.ignore_patterns(".venv", ".campus", ".git", "__pycache__", ".*_cache", ".coverage*")


def ordinary_account(*places: Path) -> Account | None:
    """Return the account of somebody who may do nothing special, or None for whoever runs this and is one already.

    Where `places` or Python lie behind doors that only root passes, the account passes them, too: that is where the
    tests are, and nothing of the product's.
    """
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    doors = {door for place in (*places, CHECKOUT, Path(sys.executable)) for door in place.resolve().parents}
    is_open = all(door.stat().st_mode & stat.S_IXOTH for door in doors)
    return Account(nobody.pw_uid, nobody.pw_gid, passes_doors=not is_open)


def give_to(account: Account | None, folder: Path) -> int:
    """Let a folder and all in it belong to an account; return the number of the user who owns them then."""
    if account is None:
        return os.geteuid()
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, account.uid, account.gid)
    return account.uid


@dataclass
class Run:
    """One `make run` of a checkout, on a port of its own, as another user if one is named."""

    checkout: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    account: Account | None = None

    def __post_init__(self) -> None:
        self.output = self.checkout / f"output-{self.port}.txt"
        self.logged_before = len(self.log_of("worker"))
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.checkout), "WEB_CONCURRENCY": "1"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "campushub360.local.supervisor"],
                cwd=self.checkout,
                env=environment | {"PORT": str(self.port)} | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=becoming(self.account, death_signal=signal.SIGTERM) if self.account else None,  # noqa: PLW1509 - no thread runs at this point
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def is_up(self) -> bool:
        """Wait until it says that it runs, and return whether it does."""
        eventually(lambda: "Ctrl-C stops" in self.text or self.process.poll() is not None, seconds=180)
        return self.process.poll() is None

    def log_of(self, part: str) -> bytes:
        """Return what a part has ever written, in this run and in former ones."""
        log = self.checkout / ".campus" / "logs" / f"{part}.log"
        return log.read_bytes() if log.exists() else b""

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.status

    def log_in(self, role: str, password: str) -> dict[str, object]:
        return self.post("/api/v1/auth/token/", {"email": f"{role}@demo.campushub360.example", "password": password})

    def post(self, path: str, body: dict[str, str]) -> dict[str, object]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return a place for servers, which are down when the test is over."""
    home = tmp_path / ".campus"
    yield home
    release_servers(home=home)
    stop_servers(home=home)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a copy of the checkout, in which nothing has run yet."""
    copy = tmp_path_factory.mktemp("run") / "CampusHub360"
    shutil.copytree(CHECKOUT, copy, ignore=LEFT_BEHIND)
    yield copy
    clean(copy, copy / ".campus")


@dataclass
class Runs:
    """The runs of a checkout, of which there is one at a time."""

    checkout: Path
    last: Run | None = None

    def start(self, **environment: str) -> Run:
        """Return a run that is up and was started like this: the last one, unless it has ended, or another."""
        if self.last is None or self.last.process.poll() is not None or self.last.environment != environment:
            self.end()
            self.last = Run(self.checkout, free_port(), environment)
            assert self.last.is_up(), self.last.text
        return self.last

    def end(self) -> None:
        if self.last is not None and self.last.process.poll() is None:
            self.last.stop()


@pytest.fixture(scope="module")
def runs(checkout: Path) -> Iterator[Runs]:
    """Provide runs that a test may end or leave to the next, since to start takes long; none outlives the module."""
    runs = Runs(checkout)
    yield runs
    runs.end()


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
