"""The servers of the stack: PostgreSQL and its replicas, two Valkeys, PgBouncer and nginx.

Each takes the file that its container is given, and what is not in there on its command line or its standard input.
"""

import os
import signal
import subprocess
from abc import abstractmethod
from pathlib import Path
from typing import IO

from campushub360.local import CHECKOUT
from campushub360.local.engine import ADDRESS, Engine, ServersError, is_free
from campushub360.local.engines import Postgres, Valkey
from campushub360.local.packages import COMMAND, find_program, missing
from campushub360.local.secrets import secret
from campushub360.local.stack.addresses import Addresses, with_room
from campushub360.local.stack.nginx import lay_out

DEPLOY = CHECKOUT / "deploy"
LUA = "libnginx-mod-http-lua"
LIBRARY = DEPLOY / "postgres"


class Primary(Postgres):
    """The primary, which only its superuser can enter until `create_roles` has run."""

    SETTINGS = {
        "config_file": str(LIBRARY / "postgresql.conf"),
        "hba_file": str(LIBRARY / "pg_hba.conf"),
        "listen_addresses": ADDRESS,
        "unix_socket_directories": "",
    }

    def create_roles(self, port: int, passwords: dict[str, str]) -> None:
        """Run the script that the container runs when its volume is empty; it may be run again."""
        environment = passwords | {
            "PATH": f"{self.binary.parent}:{os.defpath}",
            "PGHOST": ADDRESS,
            "PGPORT": str(port),
            "PGPASSWORD": self._superuser_password,
        }
        script = ["sh", str(LIBRARY / "create-database.sh")]
        done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServersError(f"{LIBRARY / 'create-database.sh'} failed: {done.stderr.strip()}")

    @property
    def _superuser_password(self) -> str:
        return secret("postgres", home=self.home)

    def _initialise(self, data: Path, log: IO[bytes]) -> None:
        password = self.folder / "data.unfinished.password"
        password.touch(mode=0o600)
        password.write_text(self._superuser_password)
        self._give_away(password)
        options = ["-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C"]
        options += ["--lc-ctype=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums"]
        self._run([self.binary.with_name("initdb"), "-D", data, *options, "--no-instructions"], log, cwd=data)
        password.unlink()

    def _create_database(self, data: Path, log: IO[bytes]) -> None:
        """Leave it to `create_roles`."""


class Replica(Primary):
    """A replica, which copies the primary when it first starts."""

    process_names = ("postgres", "sh", "pg_basebackup")

    def __init__(self, home: Path, *, name: str, primary_port: int, password: str, **settings: str) -> None:
        self.name = name
        super().__init__(home)
        self._primary_port, self._replication_password = primary_port, password
        self._settings = {**self.SETTINGS, **settings}

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._give_away(self.data)

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        settings = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        return self._popen(
            ["sh", LIBRARY / "replica.sh", "-p", str(port), *settings],
            log,
            cwd=self.data,
            PATH=f"{self.binary.parent}:{os.defpath}",
            PGDATA=str(self.data / "cluster"),
            PRIMARY_HOST=ADDRESS,
            PRIMARY_PORT=str(self._primary_port),
            REPLICATION_PASSWORD=self._replication_password,
        )

    def is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        try:
            lines = (self.data / "cluster" / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return bool(lines) and lines[0] == str(process.pid) and lines[-1] == "ready"


class StackValkey(Valkey):
    """A Valkey by the file in deploy/redis that has its name."""

    def __init__(self, home: Path, *, name: str) -> None:
        self.name = name
        super().__init__(home)

    @property
    def _password(self) -> str:
        return secret(self.name, home=self.home)

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        process = self._popen([self.binary, "-"], log, cwd=self.data, stdin=subprocess.PIPE)
        assert process.stdin is not None
        options = f"bind {ADDRESS}\nport {port}\nrequirepass {self._password}\n"
        with process.stdin as pipe:
            pipe.write(f'include "{DEPLOY / "redis" / self.name}.conf"\n{options}'.encode())
        return process


class SystemServer(Engine):
    """A server that the system's packages bring; it is configured anew whenever it starts."""

    def __init__(self, home: Path, addresses: Addresses) -> None:
        super().__init__(home)
        self._addresses = addresses

    @property
    def binary(self) -> Path:
        found = find_program(self.program)
        if found is None:
            raise ServersError(f"{self.title} is not installed: `{COMMAND}` installs it")
        return Path(found)

    def url(self, port: int) -> str:
        raise ServersError(f"{self.title} has no URL of its own")

    def is_ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        return process.poll() is None and not is_free(port)

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.configure()
        for path in (self.data, *self.data.rglob("*")):
            if not path.is_symlink():
                self._give_away(path)

    @abstractmethod
    def configure(self) -> None:
        """Write its files into `data`."""


class PgBouncer(SystemServer):
    """PgBouncer before the primary."""

    name = "pgbouncer"
    title = "PgBouncer"
    program = "pgbouncer"
    process_names = ("pgbouncer",)
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path, addresses: Addresses, *, password: str) -> None:
        super().__init__(home, addresses)
        self._application_password = password

    def configure(self) -> None:
        users = self.data / "userlist.txt"
        users.touch(mode=0o600)
        users.write_text(f'"campushub360" "{self._application_password}"\n')
        text = (CHECKOUT / "pgbouncer.ini").read_text()
        (self.data / "pgbouncer.ini").write_text(self._addresses.pgbouncer_ini(text, self.data))

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return self._popen([self.binary, self.data / "pgbouncer.ini"], log, cwd=self.data)


class Edge(SystemServer):
    """nginx, with its cache where the Lua module is installed."""

    name = "edge"
    title = "nginx"
    program = "nginx"
    process_names = ("nginx",)
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path, addresses: Addresses, *, redis_url: str) -> None:
        super().__init__(home, addresses)
        self._redis_url = redis_url

    def configure(self) -> None:
        # Without the Lua module the same nginx.conf proxies, and keeps nothing.
        file = lay_out(self.data, self._addresses, with_edge=not missing([LUA]))
        file.write_text(with_room(file.read_text()))

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command: list[str | Path] = [self.binary, "-c", self.data / "nginx.conf", "-p", self.data]
        command += ["-g", "daemon off; worker_processes auto;"]
        return self._popen(command, log, cwd=self.data, EDGE_REDIS_URL=self._redis_url)
