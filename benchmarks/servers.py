"""The programs that are put under load: the product as `make run` starts it, and the baselines beside it.

All of them listen on the loopback address, have two processes and as many connections to the same database, and end
with the run. What each says stands in `.campus/logs`.
"""

import os
import re
import secrets
import socket
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import connection

from benchmarks.load import installed
from campushub360.local import CHECKOUT, HOME
from campushub360.local.engine import ADDRESS
from campushub360.local.environment import INSTALL_SECONDS, ensure_environment
from campushub360.local.locks import open_lock, wait_for_lock
from campushub360.local.processes import Child
from campushub360.local.terminal import Terminal

WORKERS = 2
# For each process of each contender: five contenders of two share the hundred connections of a server as it comes.
POOL_SIZE = 10
START_SECONDS = 60
BASELINES = CHECKOUT / "benchmarks" / "baselines"
# The limits as docs/operations.md has a load tester raise them: counted, and never reached.
LIMIT = "60000000/60 burst 10000000 outage 60000000"
# What the product keeps in Redis is kept apart from what `make run` keeps there.
REDIS_DATABASE = "/7"
REQUIREMENT = re.compile(r"^([A-Za-z0-9-]+)", re.MULTILINE)
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


class ServerError(Exception):
    """A contender does not run; the message has its last words."""


@dataclass(frozen=True)
class Server:
    """A program that answers at `url`."""

    url: str
    child: Child
    # By which its certificate is known, where it has one.
    certificate: Path | None = None

    def get(self, path: str, headers: Mapping[str, str]) -> bytes:
        """Return the body of a successful answer; raise `ServerError` for any other."""
        return self.ask(path, headers)[0]

    def ask(self, path: str, headers: Mapping[str, str]) -> tuple[bytes, str]:
        """Return the body of a successful answer and where it was found; raise `ServerError` for any other."""
        # The address is our own, and its scheme is written here.
        request = urllib.request.Request(f"{self.url}{path}", headers=dict(headers))  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._trust()) as answer:  # noqa: S310 # nosec B310
                return answer.read(), answer.headers.get("X-Cache", "")
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(500).decode(errors="replace")
            raise ServerError(f"{self.child.name} answered {error.code} for {path}: {said}") from error

    def _trust(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=str(self.certificate)) if self.certificate else None

    def wait(self, path: str, headers: Mapping[str, str]) -> None:
        """Return once it answers `path` with success; raise `ServerError` when it has not in a minute."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.get(path, headers)
            except OSError:
                if not self.child.is_running:
                    break
                time.sleep(0.1)
            else:
                return
        raise ServerError(f"{self.child.name} does not answer; its last words:\n{self.child.last_words()}")


@dataclass
class Servers:
    """Everything that was started in a run, and ends with it."""

    _stack: ExitStack
    token_key: str = field(default_factory=lambda: secrets.token_hex(32))

    def product(self, redis: str = REDIS_DATABASE) -> Server:
        """Start gunicorn, and the relay without which nothing is remembered between requests.

        Each product of a run that has a database of its own needs a place in Redis of its own, too.
        """
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "campushub360.settings.development",
            "DATABASE_URL": database_url("postgres"),
            "REDIS_URL": urlsplit(settings.REDIS_URL)._replace(path=redis).geturl(),
            "REDIS_STATE_URL": urlsplit(settings.REDIS_STATE_URL)._replace(path=redis).geturl(),
            "WEB_CONCURRENCY": str(WORKERS),
            "DATABASE_POOL_SIZE": str(POOL_SIZE),
            **{f"RATE_LIMIT_{name.upper()}": LIMIT for name in settings.RATE_LIMITS},
        }
        self._start(Child("bench-relay", ["manage.py", "relay"]), environment)
        return self.gunicorn("bench-product", environment)

    def gunicorn(self, name: str, environment: Mapping[str, str]) -> Server:
        """Start the product's web server as an environment describes it."""
        port = free_port()
        web = Child(name, ["-m", "gunicorn", "--config", "python:campushub360.gunicorn"])
        bound = {**environment, "BIND": f"{ADDRESS}:{port}"}
        return Server(f"http://{ADDRESS}:{port}", self._start(web, bound))

    def nginx(self, name: str, folder: Path, environment: Mapping[str, str], port: int) -> Server:
        """Start an nginx by the configuration in a folder, which leaves the number of workers to whoever starts it."""
        arguments = ["-c", f"{folder}/nginx.conf", "-p", str(folder), "-e", f"{folder}/error.log"]
        arguments += ["-g", f"daemon off; worker_processes {WORKERS};"]
        child = Child(name, arguments, program=installed("nginx"))
        return Server(f"http://{ADDRESS}:{port}", self._start(child, environment))

    def django(self, module: str, *, page: bytes = b"") -> Server:
        """Start a baseline of Django's on the same server as the product."""
        port = free_port()
        arguments = ["-m", "gunicorn", f"benchmarks.baselines.{module}:application", f"--bind={ADDRESS}:{port}"]
        arguments += ["--worker-class=gevent", f"--workers={WORKERS}", "--keep-alive=75", "--no-control-socket"]
        return self._baseline(module, port, arguments, {"BASELINE_PAGE": str(self.folder(page) / "page")})

    def asynchronous(self, module: str) -> Server:
        """Start a baseline on uvicorn, which takes uvloop and httptools where they are."""
        port = free_port()
        arguments = ["-m", "uvicorn", f"benchmarks.baselines.{module}:app", f"--host={ADDRESS}", f"--port={port}"]
        arguments += [f"--workers={WORKERS}", "--no-access-log", "--log-level=warning"]
        return self._baseline(module, port, arguments, {})

    def static(self, page: bytes) -> Server:
        """Start nginx over a folder whose file `page` has these bytes."""
        port = free_port()
        folder = self.folder(page)
        text = Template((BASELINES / "static.conf").read_text()).substitute(folder=folder, port=port)
        (folder / "nginx.conf").write_text(text)
        return self.nginx("bench-static", folder, os.environ, port)

    def folder(self, page: bytes = b"") -> Path:
        """Return a folder with a file `page`, for as long as the servers run."""
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        # nginx's workers are nobody when it is started by root.
        folder.chmod(0o755)
        (folder / "page").write_bytes(page)
        return folder

    def _baseline(self, module: str, port: int, arguments: list[str], more: dict[str, str]) -> Server:
        environment = {
            "PATH": os.environ["PATH"],
            "BASELINE_DATABASE_URL": database_url("postgresql"),
            "BASELINE_TOKEN_KEY": self.token_key,
            "BASELINE_POOL_SIZE": str(POOL_SIZE),
            **more,
        }
        child = Child(f"bench-{module.partition('.')[0]}", arguments, program=str(baselines_python()))
        return Server(f"http://{ADDRESS}:{port}", self._start(child, environment))

    def _start(self, child: Child, environment: Mapping[str, str]) -> Child:
        child.start(environment, HOME / "logs", [])
        self._stack.callback(child.stop, at_once=False)
        return child


@contextmanager
def servers() -> Iterator[Servers]:
    """Give the means to start servers, and take down at the end what was started."""
    with ExitStack() as stack:
        yield Servers(stack)


def install_baselines(terminal: Terminal) -> None:
    """Have the environment of the baselines, as locked; it is the checkout's, and none of the product's."""
    lock = open_lock(HOME / "baselines.lock")
    wait_for_lock(lock, seconds=INSTALL_SECONDS)
    try:
        ensure_environment("requirements", folder=HOME / "baselines", requirements=BASELINES, terminal=terminal)
    finally:
        os.close(lock)


def baselines_python() -> Path:
    """Return the Python of the baselines' environment."""
    return HOME / "baselines" / "bin" / "python"


def database_url(scheme: str) -> str:
    """Return the URL of the database that this process is connected to."""
    asked = connection.settings_dict
    credentials = f"{quote(asked['USER'], safe='')}:{quote(asked['PASSWORD'], safe='')}"
    return f"{scheme}://{credentials}@{asked['HOST']}:{asked['PORT']}/{asked['NAME']}"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def versions() -> dict[str, str]:
    """Return what the baselines are made of, by name and version."""
    locked = dict(PINNED.findall((BASELINES / "requirements.txt").read_text()))
    asked_for = REQUIREMENT.findall((BASELINES / "requirements.in").read_text())
    return {name: locked[name.lower()] for name in asked_for}
