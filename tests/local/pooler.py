"""A PgBouncer of the tests' own, with the deployment's file, and servers of the product behind which it stands."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from accounts.models import User
from campushub360.local import CHECKOUT
from campushub360.local.packages import find_program
from tests.accounts.factories import PASSWORD
from tests.local.conftest import eventually, free_port

PGBOUNCER = find_program("pgbouncer")
# What PgBouncer keeps open to the server, and what a worker keeps open to PgBouncer: few, so that they are used up.
SERVERS, CLIENTS = 22, 20


class Pooler:
    """PgBouncer before the tests' database, by the deployment's file with this machine's addresses in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.server: dict[str, Any] = connection.get_connection_params()
        text = (CHECKOUT / "pgbouncer.ini").read_text()
        for theirs, ours in {
            "host=postgres port=5432 dbname=campushub360": "host={host} port={port} dbname={dbname}".format(
                **self.server
            ),
            "listen_addr = *": "listen_addr = 127.0.0.1",
            "listen_port = 6432": f"listen_port = {self.port}",
            "/etc/pgbouncer/userlist.txt": f"{folder}/userlist.txt",
            "default_pool_size = 100": f"default_pool_size = {SERVERS}",
            "max_db_connections = 100": f"max_db_connections = {SERVERS}",
        }.items():
            assert theirs in text, theirs
            text = text.replace(theirs, ours)
        (folder / "pgbouncer.ini").write_text(text)
        (folder / "userlist.txt").write_text('"{user}" "{password}"\n'.format(**self.server))
        self.user = "nobody" if os.geteuid() == 0 else None  # it refuses to be root
        if self.user:
            shutil.chown(folder, self.user)
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(PGBOUNCER), str(self.folder / "pgbouncer.ini")], stdout=log, stderr=log, user=self.user
            )
        assert eventually(self.is_up), (self.folder / "log").read_text()

    def is_up(self) -> bool:
        with suppress(psycopg.OperationalError), closing(self.client()) as client:
            return client.execute("SELECT 1").fetchone() == (1,)
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold every query back: SIGUSR1 and SIGUSR2 are PAUSE and RESUME."""
        self.process.send_signal(signal.SIGUSR1)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGUSR2)

    def client(self) -> psycopg.Connection[Any]:
        """Connect as any other client of this PgBouncer does."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname="campushub360", user=self.server["user"],
            password=self.server["password"], autocommit=True, connect_timeout=5,
        )  # fmt: skip

    @contextmanager
    def everything_lent(self) -> Iterator[list[psycopg.Connection[Any]]]:
        """Hold each connection that PgBouncer has to the server in a transaction of its own."""
        with ExitStack() as stack:
            clients = [stack.enter_context(closing(self.client())) for _ in range(SERVERS)]
            for client in clients:
                client.execute("BEGIN")
            yield clients

    def url(self) -> str:
        return f"postgres://{self.server['user']}:{self.server['password']}@127.0.0.1:{self.port}/campushub360"

    def variables(self) -> dict[str, str]:
        """Return what leads a process of the product through PgBouncer, and past it where it has to."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.local.pooled",
            "DATABASE_URL": self.url(),
            "DATABASE_DIRECT_URL": "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**self.server),
            "DATABASE_IS_POOLED": "true",
            "DATABASE_POOL_SIZE": str(CLIENTS),
            **{f"{kept}_ROOT": f"{self.folder}/{kept}" for kept in ("FILES", "EXPORT")},
        }

    @contextmanager
    def running(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run another process of the product through PgBouncer, and end it."""
        command = [sys.executable, *arguments]
        process = subprocess.Popen(command, cwd=CHECKOUT, env={**self.variables(), **variables})
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def command(self, *arguments: str) -> str:
        """Run a management command through PgBouncer and return what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT, env=self.variables(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def pooler() -> Iterator[Pooler]:
    """Run PgBouncer, in a folder that the user it runs as may enter."""
    folder = Path(tempfile.mkdtemp())
    pooler = Pooler(folder)
    try:
        yield pooler
    finally:
        pooler.kill()
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: Any

    @property
    def is_refused_for_now(self) -> bool:
        return self.status == 503 and int(self.headers["Retry-After"]) > 0


@dataclass(frozen=True)
class Product:
    """A gunicorn before PgBouncer, and how it is asked."""

    port: int

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        """Send a body as it is, or as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = token
        content = body
        if body is not None and not isinstance(body, bytes):
            content, sent["Content-Type"] = json.dumps(body, default=str), "application/json"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as server:
            server.request(method, path, content, sent)
            response = server.getresponse()
            text = response.read()
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, response.headers, json.loads(text) if is_json and text else text)

    def log_in(self, user: User) -> tuple[str, str]:
        """Return what to send with requests, and what continues the session."""
        pair = self.ask("POST", "/api/v1/auth/token/", {"email": user.email, "password": PASSWORD}).body["data"]
        return f"Bearer {pair['access']}", pair["refresh"]

    def ask_all(self, *questions: tuple[Any, ...], token: str) -> list[Answer]:
        """Ask everything at once."""
        with ThreadPoolExecutor(len(questions)) as threads:
            return list(threads.map(lambda question: self.ask(*question, token=token), questions))

    def is_up(self) -> bool:
        try:
            return self.ask("GET", "/livez").status == 200
        except OSError:
            return False

    @contextmanager
    def asked_all_the_time(self, *asks: Callable[[], Answer]) -> Iterator[list[Answer]]:
        """Do each again and again, in a thread of its own; give the list of the answers."""
        answers: list[Answer] = []
        done = threading.Event()

        def asking(ask: Callable[[], Answer]) -> None:
            while not done.is_set():
                answers.append(ask())

        with ThreadPoolExecutor(len(asks)) as threads:
            asked = [threads.submit(asking, ask) for ask in asks]
            try:
                yield answers
            finally:
                done.set()
        for each in asked:
            each.result()


@contextmanager
def product(pooler: Pooler) -> Iterator[Product]:
    """Run gunicorn with one gevent worker through PgBouncer."""
    product = Product(free_port())
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "campushub360/gunicorn.py"],
        cwd=CHECKOUT,
        env={**pooler.variables(), "BIND": f"127.0.0.1:{product.port}", "WEB_CONCURRENCY": "1"},
    )
    try:
        assert eventually(lambda: server.poll() is None and product.is_up(), seconds=60)
        yield product
    finally:
        server.terminate()
        server.wait(timeout=60)
