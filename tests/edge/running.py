"""Parts of the product that tests pause and kill: a cache server, a relay, gunicorn, and the edge before them."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from redis import Redis

from campushub360.local import CHECKOUT
from campushub360.local.engine import free_port
from campushub360.local.engines import Valkey
from tests.accounts.factories import PASSWORD
from tests.local.conftest import eventually
from tests.local.test_gunicorn import HOST


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def cache(self) -> str:
        """Who had the answer ready."""
        return self.headers.get("X-Cache", "")

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


def ask(
    server: http.client.HTTPConnection,
    path: str,
    token: str = "",
    *,
    method: str = "GET",
    body: dict[str, Any] | None = None,
    **headers: str,
) -> Answer:
    """Ask a server once; names of headers are written with underscores."""
    sent = {"Host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent["Content-Type"] = "application/json"
    with closing(server):
        server.request(method, path, body=None if body is None else json.dumps(body), headers=sent)
        response = server.getresponse()
        return Answer(response.status, response.headers, response.read())


class Part:
    """A process of the product, as a test starts and ends it."""

    def __init__(self, name: str, folder: Path, *arguments: str, **environment: str) -> None:
        self._log = folder / f"{name}.log"
        self._arguments = arguments
        self._environment = environment
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=CHECKOUT,
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(60)


class Cache:
    """A Redis server that tests stop, kill and empty."""

    def __init__(self, home: Path) -> None:
        self.engine = Valkey(home)
        self.port = free_port()
        self.engine.folder.mkdir(parents=True)
        self.engine.prepare()
        self.process: subprocess.Popen[bytes]
        self.start()

    @property
    def url(self) -> str:
        return self.engine.url(self.port)

    def start(self) -> None:
        with self.engine.log.open("ab") as log:
            self.process = self.engine.launch(self.port, log)
        assert eventually(lambda: self.engine.is_ready(self.process, self.port)), self.engine.log.read_text()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it live and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def flush(self) -> None:
        with Redis.from_url(self.url) as redis:
            redis.flushall()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.engine.stop_strays()


def database_url() -> str:
    """Return the URL of the database that the tests have for themselves."""
    config = connection.settings_dict
    return f"postgres://{config['USER']}:{config['PASSWORD']}@{config['HOST']}:{config['PORT']}/{config['NAME']}"


@dataclass
class Stack:
    """Everything from the edge to the database."""

    cache: Cache
    relay: Part
    web: Part
    web_port: int
    tls_port: int
    metrics_port: int
    certificate: Path

    def ask(self, path: str, token: str = "", **options: Any) -> Answer:
        """Ask through the edge."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return ask(
            http.client.HTTPSConnection("localhost", self.tls_port, context=context, timeout=60), path, token, **options
        )

    def ask_past(self, path: str, token: str = "", **options: Any) -> Answer:
        """Ask the application itself, past the edge."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=60), path, token, **options)

    def metrics(self) -> dict[str, float]:
        """Return what the edge tells operators, by name and labels."""
        answer = ask(http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=60), "/metrics")
        assert answer.status == 200
        lines = [line.rpartition(" ") for line in answer.body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def log_in(self, user: Any) -> str:
        answer = self.ask_past("/api/v1/auth/token/", method="POST", body={"email": user.email, "password": PASSWORD})
        return str(answer.data["access"])

    def is_keeping(self, path: str, token: str) -> bool:
        """Say whether the edge has an answer, having been asked for it."""
        return self.ask(path, token).cache == "EDGE-HIT"
