"""Which parts the stack has, what each is told, and when each is well."""

import json
import os
import shlex
import shutil
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from campushub360.local.engine import ADDRESS, free_port, is_free
from campushub360.local.processes import Child
from campushub360.local.secrets import demo_password, secret
from campushub360.local.stack import StackError
from campushub360.local.stack.addresses import Addresses
from campushub360.local.stack.compose import command_of, environment_of
from campushub360.local.stack.parts import Part, Program, Server
from campushub360.local.stack.servers import Edge, PgBouncer, Primary, Replica, StackValkey

SERVERS = ("postgres", "replica1", "replica2", "analytics", "pgbouncer", "cache", "state")
PASSWORDS = ("DATABASE", "MIGRATOR", "REPORTING", "REPLICATION", "CACHE", "STATE", "POSTGRES")
REPLICAS = {"replica1": {}, "replica2": {}, "analytics": {"max_standby_streaming_delay": "5min"}}
# What the four times twenty connections of the deployed application become where more workers share them.
CONNECTIONS = 80
CERTIFICATE, ENVIRONMENT = "certificate.pem", "environment"
LEASE = "campushub360:generations:lease"


@dataclass
class Topology:
    """The stack below `home`, whose edge listens on `port`, as `environ` wishes it."""

    home: Path
    port: int
    environ: Mapping[str, str]
    addresses: Addresses = field(init=False)
    variables: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        replicas = number_from(self.environ, "APP_REPLICAS", 2)
        workers = number_from(self.environ, "WEB_CONCURRENCY", max(1, (os.cpu_count() or 2) // replicas))
        names = (*SERVERS, "edge-plain", "edge-alive", "edge-metrics")
        last = self._ports_of_last_time()
        taken = {self.port, *last.values()}
        ports = {name: last.get(name) or _another_port(taken) for name in names} | {"edge": self.port}
        apps = tuple(_another_port(taken) for _ in range(replicas))
        self.addresses = Addresses(ports, apps, weights_from(self.environ, replicas))
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "ports.json").write_text(json.dumps(ports))
        self.variables = {
            "SECRET_KEY": secret("secret-key", home=self.home),
            **{f"{name}_PASSWORD": secret(name.lower(), home=self.home, size=24) for name in PASSWORDS},
            "ENCRYPTION_KEYS": f"stack:{secret('encryption-key', home=self.home, size=32)}",
            "BLIND_INDEX_KEY": secret("blind-index-key", home=self.home, size=32),
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "CSRF_TRUSTED_ORIGINS": f"https://localhost:{self.port},https://127.0.0.1:{self.port}",
            "PUBLIC_URL": self.url,
            "EMAIL_URL": "consolemail://",
            "MAIL_FROM": "campushub360@localhost",
            "APP_REPLICAS": str(replicas),
            "WEB_CONCURRENCY": str(workers),
            "DATABASE_POOL_SIZE": str(max(2, min(20, CONNECTIONS // (replicas * workers)))),
        }

    @property
    def url(self) -> str:
        """Where people ask."""
        return f"https://localhost:{self.port}"

    def environment(self, service: str = "app") -> dict[str, str]:
        """Return what a process of the product is told, as its container is, on top of this machine's own."""
        ours = {
            name: self.addresses.localised(value) for name, value in environment_of(service, self.variables).items()
        }
        ours |= {
            "DJANGO_SETTINGS_MODULE": "campushub360.settings.development",
            "DEMO_PASSWORD": demo_password(self.environ),
            "PYTHONUNBUFFERED": "1",
            # nginx may be another user here, who would not get into the folder.
            "FILES_SENT_FROM": "",
            # The signatures are fetched from outside, which nothing here waits for.
            "CLAMD_URL": "",
            **{f"{name}_ROOT": str(self.home / name.lower()) for name in ("MEDIA", "IMPORT", "EXPORT", "FILES")},
        }
        return {**{name: self.environ[name] for name in ("PATH", "HOME", "LANG") if name in self.environ}, **ours}

    def publish(self) -> None:
        """Lay out what people need who ask: the certificate, and the environment of a process of the product."""
        shutil.copyfile(self.home / "edge" / "data" / "fullchain.pem", self.home / CERTIFICATE)
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in self.environment().items() if name != "PATH"]
        file = self.home / ENVIRONMENT
        file.touch(mode=0o600)
        file.write_text("".join(lines))

    def primary(self) -> Primary:
        """Return the primary."""
        return Primary(self.home)

    def create_roles(self) -> None:
        """Make the database and its roles as they are to be."""
        passwords = {name: value for name, value in self.variables.items() if name.endswith("_PASSWORD")}
        self.primary().create_roles(self.addresses.ports["postgres"], passwords)

    def stores(self) -> list[Part]:
        """Return the primary and the two Valkeys."""
        ports = self.addresses.ports
        valkeys = [Server(StackValkey(self.home, name=name), ports[name]) for name in ("cache", "state")]
        return [Server(self.primary(), ports["postgres"]), *valkeys]

    def replicas(self) -> list[Part]:
        """Return what follows the primary."""
        ports, password = self.addresses.ports, self.variables["REPLICATION_PASSWORD"]
        return [
            Server(
                Replica(self.home, name=name, primary_port=ports["postgres"], password=password, **settings),
                ports[name],
            )
            for name, settings in REPLICAS.items()
        ]

    def pooler(self) -> Part:
        """Return PgBouncer."""
        engine = PgBouncer(self.home, self.addresses, password=self.variables["DATABASE_PASSWORD"])
        return Server(engine, self.addresses.ports["pgbouncer"])

    def programs(self) -> list[Part]:
        """Return the processes of the product."""
        logs, environment = self.home / "logs", self.environment()
        found: list[Part] = []
        for number, port in enumerate(self.addresses.app, start=1):
            child = Child(f"app{number}", ["-m", "gunicorn", "--config", "python:campushub360.gunicorn"])
            bound = environment | {"BIND": f"{ADDRESS}:{port}"}
            found.append(Program(child, bound, logs, _answers(f"http://{ADDRESS}:{port}/readyz")))
        for name in ("worker", "beat", "relay"):
            first, *rest = command_of(name, self.variables)
            child = Child(name, rest if first == "python" else ["-m", first, *rest])
            found.append(Program(child, environment, logs, self._wellness(name)))
        return found

    def edge(self) -> Part:
        """Return nginx."""
        redis_url = self.addresses.localised(environment_of("edge", self.variables)["EDGE_REDIS_URL"])
        engine = Edge(self.home, self.addresses, redis_url=redis_url)
        return Server(engine, self.port, probe=_answers(f"{self.url}/livez", engine.data / "fullchain.pem"))

    def _wellness(self, name: str) -> Callable[[Program], bool]:
        if name == "relay":
            return lambda _relay: self._has_lease()
        words = {"worker": " ready.", "beat": "Starting"}[name]
        return lambda program: words in program.said()

    def _has_lease(self) -> bool:
        """Say whether the relay vouches for what is remembered."""
        try:
            with Redis.from_url(self.environment()["REDIS_URL"], socket_timeout=1) as redis:
                return bool(redis.exists(LEASE))
        except RedisError:
            return False

    def _ports_of_last_time(self) -> dict[str, int]:
        """Return the ports that a psql command line may name, as far as they are free."""
        file = self.home / "ports.json"
        ports = json.loads(file.read_text()) if file.exists() else {}
        return {name: port for name, port in ports.items() if is_free(port)}


def _answers(url: str, certificate: Path | None = None) -> Callable[[object], bool]:
    def ask(_part: object) -> bool:
        try:
            context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
            with urllib.request.urlopen(url, timeout=5, context=context):  # noqa: S310 - our own URL # nosec B310
                return True
        except OSError:
            return False

    return ask


def number_from(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise StackError(f"{name}={text} is no number from 1 on")
    return int(text)


def weights_from(environ: Mapping[str, str], replicas: int) -> tuple[int, ...]:
    """Return what APP_WEIGHTS says, as `3 1`: a number for each replica; none where it says nothing."""
    words = environ.get("APP_WEIGHTS", "").split()
    if words and len(words) != replicas:
        raise StackError(f"APP_WEIGHTS names {len(words)} numbers for {replicas} replicas")
    return tuple(number_from({"APP_WEIGHTS": word}, "APP_WEIGHTS", 1) for word in words)


def _another_port(taken: set[int]) -> int:
    """Take a free port that is not going to be somebody else's."""
    port = free_port()
    while port in taken:
        port = free_port()
    taken.add(port)
    return port
