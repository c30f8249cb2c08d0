"""A primary and replicas that follow it: real servers, which tests pause and kill."""

import signal
import subprocess
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import psutil
import psycopg

from campushub360.local.engine import ADDRESS
from campushub360.local.engines import Postgres
from tests.local.conftest import eventually, free_port


class Primary(Postgres):
    """A server whose one role is let in to replicate, and may stop and resume what it replicates."""

    SETTINGS = Postgres.SETTINGS | {
        "shared_buffers": "32MB",
        "max_connections": "60",
        "fsync": "off",
        "wal_keep_size": "256MB",
        "max_standby_streaming_delay": "0",  # whatever a replica has to remove, it takes from its readers at once
    }

    def _create_database(self, data: Path, log: IO[bytes]) -> None:
        super()._create_database(data, log)
        with (data / "pg_hba.conf").open("a") as access:
            access.write(f"host all,replication postgres {ADDRESS}/32 trust\n")

    def superuser_url(self, port: int) -> str:
        return f"postgres://postgres@{ADDRESS}:{port}/postgres"


class Follower(Primary):
    """A replica of the primary on a port, made of a base backup of it."""

    def __init__(self, home: Path, *, primary: Primary, port: int) -> None:
        super().__init__(home)
        self._primary, self._primary_port = primary, port

    @property
    def _password(self) -> str:
        return self._primary._password

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, parents=True)
        self._give_away(self.data)
        program = self.binary.with_name("pg_basebackup")
        source = ["-h", ADDRESS, "-p", str(self._primary_port), "-U", "postgres"]
        with self.log.open("ab") as log:
            self._run([program, *source, "-D", str(self.data), "-R", "-X", "stream", "-c", "fast"], log, cwd=self.data)


class Server:
    """An engine that runs as a child of the tests."""

    def __init__(self, engine: Primary) -> None:
        self.engine = engine
        self.port = free_port()
        engine.folder.mkdir(parents=True, exist_ok=True)
        engine.prepare()
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        with self.engine.log.open("ab") as log:
            self.process = self.engine.launch(self.port, log)
        assert eventually(lambda: self.engine.is_ready(self.process, self.port)), self.engine.log.read_text()

    def kill(self) -> None:
        """End it and everything it runs, as a machine does that loses its power."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.engine.stop_strays()

    def signal(self, number: int) -> None:
        """Send a signal to it and to everything it runs."""
        server = psutil.Process(self.process.pid)
        for process in [server, *server.children(recursive=True)]:
            process.send_signal(number)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(self.engine.stop_signal)
            self.process.wait(30)
        self.engine.stop_strays()

    def tell(self, statement: str) -> Any:
        """Execute a statement as the superuser, and return the first value of its answer, if it has one."""
        with psycopg.connect(self.engine.superuser_url(self.port), autocommit=True) as session:
            answer = session.execute(statement)
            return answer.fetchone()[0] if answer.description else None  # type: ignore[index]  # one row at least

    def config(self, base: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return a connection's settings that name this server, and are those of another one otherwise."""
        url = urlsplit(self.engine.url(self.port))
        named = {"NAME": url.path[1:], "USER": url.username, "PASSWORD": url.password}
        return {**base, **named, "HOST": url.hostname, "PORT": url.port, **more}
