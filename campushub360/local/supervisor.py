"""`make run`: the whole product on this machine, from nothing to a first request, until Ctrl-C.

The order is what a person would do by hand: look whether the port is free, bring up the servers, migrate, fill an
empty database with demo data, start the web workers, the Celery worker and the relay, and wait until the product says
that it is ready. A lock that the children inherit tells the next start whether anything of this one is still alive.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from campushub360.local import CHECKOUT, HOME
from campushub360.local.engine import ADDRESS, ServersError, replace_text
from campushub360.local.locks import open_lock, try_lock, wait_for_lock
from campushub360.local.processes import Child, end_session, identity_of, is_alive
from campushub360.local.secrets import demo_password
from campushub360.local.servers import ensure_servers, leave_servers, user_locks
from campushub360.local.terminal import Terminal

READY_SECONDS = 90
LARGEST_PORT = 65535
# With --beat the worker forks the scheduler, which so shares its memory.
CONCURRENCY = "2"
CELERY_OPTIONS = ("--beat", f"--concurrency={CONCURRENCY}", "--loglevel=INFO", "--without-gossip", "--without-mingle")


class StartError(Exception):
    """The product cannot run; the message says why and what to do."""


class Told(BaseException):
    """Somebody asked for the end: Ctrl-C, or SIGTERM."""


@dataclass
class Supervisor:
    """One run of the product out of this checkout."""

    home: Path
    terminal: Terminal
    port: int
    children: list[Child] = field(default_factory=list)
    last_told: float = 0
    is_stopping: bool = False
    is_hurried: bool = False

    @property
    def url(self) -> str:
        """Where the product answers."""
        return f"http://{ADDRESS}:{self.port}"

    def run(self) -> None:
        """Bring everything up, stay until told to stop or until a part dies, and take everything down."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        lock = self._take_checkout()
        try:
            self._look_at_port()
            environment = self._prepare()
            self._start_children(environment, lock)
            with self.terminal.step("waiting until it is ready"):
                self._wait_until_ready()
            self._introduce()
            while True:
                time.sleep(0.2)
                self._look_after_children()
        finally:
            self._stop()

    def _look_at_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, self.port))
            except PermissionError as error:
                raise StartError(f"port {self.port} may only be used by root: `PORT=8000 make run` works") from error
            except OSError as error:
                another = self.port + 1 if self.port < LARGEST_PORT else 8000
                raise StartError(
                    f"port {self.port} is taken by another program: `PORT={another} make run` uses another"
                ) from error

    def _take_checkout(self) -> int:
        """Be the only run of this checkout, ending what a killed one left; return the lock that says so."""
        lock = open_lock(self.home / "run.lock")
        record = self.home / "run.json"
        if not try_lock(lock):
            former = json.loads(record.read_text()) if record.exists() else {}
            if is_alive(former.get("supervisor")):
                raise StartError(f"this checkout runs already, on {former['url']} (process {former['supervisor'][0]})")
            # Its supervisor was killed; the children were told, and may be finishing requests.
            with self.terminal.step("waiting for what a killed run left behind"):
                self._wait_for_orphans(lock, former.get("children", []))
        self._record()
        return lock

    def _wait_for_orphans(self, lock: int, orphans: list[list[float]]) -> None:
        if wait_for_lock(lock, seconds=10):
            return
        for orphan in filter(is_alive, orphans):
            end_session(int(orphan[0]))
        if not wait_for_lock(lock, seconds=10):
            raise StartError(f"something of the former run is still alive and holds {self.home / 'run.lock'}")

    def _record(self) -> None:
        processes = [child.process.pid for child in self.children if child.process is not None]
        record = {
            "url": self.url,
            "supervisor": identity_of(os.getpid()),
            "children": [identity_of(pid) for pid in processes],
        }
        replace_text(self.home / "run.json", json.dumps(record))

    def _prepare(self) -> dict[str, str]:
        """Have the servers and a migrated, filled database; return the environment of the children."""
        environment = os.environ | {"PORT": str(self.port), "PYTHONUNBUFFERED": "1", "CELERY_CONCURRENCY": CONCURRENCY}
        environment.setdefault("DJANGO_SETTINGS_MODULE", "campushub360.settings.development")
        with self.terminal.step("PostgreSQL and Valkey"):
            environment |= ensure_servers(environment, home=self.home)
        command = [sys.executable, "manage.py", "prepare_demo", "--report", str(self.home / "demo.json")]
        if subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode != 0:
            raise StartError("the database could not be prepared; the lines above say why")
        return environment

    def _start_children(self, environment: dict[str, str], lock: int) -> None:
        self.children = [
            Child("web", ["-m", "gunicorn", "--config", "python:campushub360.gunicorn"]),
            Child("worker", ["-m", "celery", "--app=campushub360.local.worker", "worker", *CELERY_OPTIONS]),
            Child("relay", ["manage.py", "relay"]),
        ]
        inherited = [lock, *user_locks(home=self.home)]
        for child in self.children:
            child.start(environment, self.home / "logs", inherited)
        self._record()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        answer = "nothing"
        while time.monotonic() < deadline:
            self._look_after_children()
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):  # noqa: S310 - our own URL # nosec B310
                    return
            except urllib.error.HTTPError as error:
                answer = f"{error.code} {error.read(300).decode(errors='replace')}"
            except OSError as error:
                answer = str(error)
            time.sleep(0.1)
        raise StartError(f"{self.url}/readyz does not answer 200 within {READY_SECONDS} seconds, but: {answer}")

    def _look_after_children(self) -> None:
        for child in self.children:
            if not child.is_running:
                raise StartError(
                    f"{child.name} ended by itself (status {child.status}), so everything stops. "
                    f"The end of {child.log}:\n{child.last_words()}"
                )

    def _introduce(self) -> None:
        say, strong = self.terminal.say, self.terminal.strong
        say()
        say(strong(f"  CampusHub360 is running on {self.url}"))
        say(f"  API pages   {self.url}/api/v1/docs/")
        say(f"  Admin       {self.url}/admin/")
        say(f"  Logs        {self.home / 'logs'}")
        accounts = json.loads((self.home / "demo.json").read_text())["accounts"]
        if accounts:
            say()
            say(f"  Demo accounts, all with the password {strong(demo_password(os.environ, home=self.home))}")
        for account in accounts:
            say(f"    {account}")
        say()
        say("  Ctrl-C stops everything.")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.is_stopping:
            # make passes on the signal that the terminal has sent already; only a later one is impatience.
            self.is_hurried = self.is_hurried or now - self.last_told > 1
            return
        self.is_stopping, self.last_told = True, now
        raise Told

    def _stop(self) -> None:
        self.is_stopping = True
        for child in self.children:
            if child.process is not None:
                with self.terminal.step(f"stopping {child.name}"):
                    child.stop(at_once=self.is_hurried)
        if user_locks(home=self.home):
            with self.terminal.step("stopping PostgreSQL and Valkey, unless somebody else uses them"):
                leave_servers(home=self.home)
        (self.home / "run.json").unlink(missing_ok=True)


def port_from(text: str) -> int:
    """Return the port number that `text` names."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= LARGEST_PORT:
        raise StartError(f"PORT={text} is not a port number: use 1 to {LARGEST_PORT}")
    return int(text)


def main() -> int:
    """Run the product and return the exit status."""
    try:
        Supervisor(HOME, Terminal(), port_from(os.environ.get("PORT") or "8000")).run()
    except Told:
        return 0
    except (StartError, ServersError) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
