"""A running stack, as somebody finds it who may stop, kill and empty its parts: by what lies in its folder."""

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import psycopg
from redis import Redis

from benchmarks.staleness.wire import Door
from campushub360.local.engine import ADDRESS
from campushub360.local.secrets import secret
from campushub360.local.stack.topology import CERTIFICATE, ENVIRONMENT

PATIENCE_SECONDS = 30
# What PostgreSQL says while it recovers (57P03); psycopg has no code of a connection that was refused.
NOT_YET = ("the database system is starting up", "the database system is not yet accepting connections")


class StackIsDownError(Exception):
    """No stack runs there, or it does not come back."""


@dataclass
class RunningStack:
    """The stack below `home`, in a checkout."""

    home: Path

    @cached_property
    def environment(self) -> dict[str, str]:
        """What its programs are told."""
        lines = (line.partition("=") for line in (self.home / ENVIRONMENT).read_text().splitlines())
        return {name: "".join(shlex.split(value)) for name, _, value in lines}

    @cached_property
    def ports(self) -> dict[str, int]:
        found: dict[str, int] = json.loads((self.home / "ports.json").read_text())
        return found

    @property
    def supervisor(self) -> psutil.Process:
        try:
            return psutil.Process(json.loads((self.home / "state.json").read_text())["supervisor"][0])
        except (FileNotFoundError, psutil.NoSuchProcess) as error:
            raise StackIsDownError(f"no stack runs in {self.home}: `make stack` starts one") from error

    def processes(self, *words: str) -> list[psutil.Process]:
        """Return the children of the supervisor that have these words on their command lines."""
        found = []
        for child in self.supervisor.children():
            with suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE and all(word in " ".join(child.cmdline()) for word in words):
                    found.append(child)
        return found

    def send(self, number: signal.Signals, *words: str) -> None:
        """Send a signal to these children."""
        for process in self.processes(*words):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def cache(self, name: str = "cache") -> psutil.Process:
        """Return one of the two Valkeys, which are told apart by where they listen."""
        port = self.ports[name]
        return next(each for each in self.processes("valkey-server") if port in listening(each))

    def redis(self, name: str = "cache") -> Redis:
        url = self.environment["REDIS_URL" if name == "cache" else "REDIS_STATE_URL"]
        return Redis.from_url(url, socket_timeout=5)

    def tell(self, server: str, statement: str) -> Any:
        """Execute a statement on one of the PostgreSQL servers as its superuser; return its rows, if it has any.

        A server that is starting up after a bad day is waited for.
        """
        with self._session(server) as session:
            answer = session.execute(statement.encode())
            return answer.fetchall() if answer.description else None

    def _session(self, server: str) -> psycopg.Connection[Any]:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return psycopg.connect(
                    host=ADDRESS, port=self.ports[server], user="postgres", password=secret("postgres", home=self.home),
                    dbname="campushub360", autocommit=True, connect_timeout=5,
                )  # fmt: skip
            except psycopg.OperationalError as refused:
                if not any(text in str(refused) for text in NOT_YET) or time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def masters(self) -> list[psutil.Process]:
        """Return the gunicorns, each of which has workers."""
        return self.processes("gunicorn")

    def workers(self) -> list[psutil.Process]:
        return [worker for master in self.masters() for worker in master.children()]

    def edge(self) -> Door:
        return Door(self.ports["edge"], self.home / CERTIFICATE)

    def servers(self) -> list[Door]:
        """Return the application servers, past the edge."""
        return [Door(port) for master in self.masters() for port in listening(master)]

    def populate(self) -> dict[str, str]:
        """Return the ids of the rows that are written, made where they are lacking."""
        command = [sys.executable, "-m", "benchmarks.staleness.population"]
        done = subprocess.run(
            command, cwd=self.home.parents[1], env=self.environment | {"PATH": "/usr/bin:/bin"}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise StackIsDownError(f"the rows to be written cannot be made: {done.stderr.strip()[-2000:]}")
        found: dict[str, str] = json.loads(done.stdout)
        return found


def listening(process: psutil.Process) -> list[int]:
    return [each.laddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return when a condition holds; raise `StackIsDownError` where it does not come to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackIsDownError(f"after {seconds:.0f} seconds still not: {what}")
        time.sleep(0.05)
