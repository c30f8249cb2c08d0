"""Whether this process is able to serve, and whether the things it needs are well.

Each check runs in a thread of its own and is given a bounded time, because a server that hangs
without an answer is the usual way for one to be ill. While a check hangs, it is not started again,
and its result is good for a moment: probing often costs the dependency nothing.
"""

import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache as cached
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import psycopg
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from core.logging import describe
from core.partitions.standing import standings

logger = logging.getLogger(__name__)

DEPENDENCIES = ("database", "migrations", "partitions", "cache", "redis", "disk_space", "memory")
CGROUP = Path("/sys/fs/cgroup")


class UnhealthyError(Exception):
    """A dependency answered, and the answer is not good enough."""


@dataclass(frozen=True)
class Check:
    """What one check found; true if all is well. `reason` and `facts` are for operators only."""

    is_ok: bool
    reason: str = ""
    milliseconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.is_ok


@dataclass
class _Run:
    """One execution of a check, under way or finished."""

    outcome: "Future[Check]" = field(default_factory=Future)
    finished_at: float = 0.0


class HealthChecker:
    """Checks the dependencies, each within `seconds`; a result is reused for `fresh_seconds`."""

    def __init__(
        self,
        *,
        seconds: float = 1.0,
        fresh_seconds: float = 1.0,
        disk_path: str = "/",
        disk_free_percent: float = 5.0,
        memory_free_percent: float = 3.0,
    ) -> None:
        self.seconds = seconds
        self.fresh_seconds = fresh_seconds
        self.disk_path = disk_path
        self.disk_free_percent = disk_free_percent
        self.memory_free_percent = memory_free_percent
        self._checks: Mapping[str, Callable[[], Mapping[str, Any]]] = {
            "database": self._database,
            "migrations": self._migrations,
            "partitions": self._partitions,
            "cache": self._cache,
            "redis": self._redis,
            "disk_space": self._disk,
            "memory": self._memory,
        }
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._is_migrated = False

    def check_database(self) -> Check:
        """Say whether the database answers a query on a connection of its own."""
        return self.report(["database"])["database"]

    def check_migrations(self) -> Check:
        """Say whether the database has every migration that this code knows."""
        return self.report(["migrations"])["migrations"]

    def check_partitions(self) -> Check:
        """Say whether tables kept by month have room for the next one, and no row that lies outside of its month."""
        return self.report(["partitions"])["partitions"]

    def check_cache(self) -> Check:
        """Say whether the cache gives back what it was given."""
        return self.report(["cache"])["cache"]

    def check_redis(self) -> Check:
        """Say whether the Redis that holds shared state answers."""
        return self.report(["redis"])["redis"]

    def check_disk(self) -> Check:
        """Say whether enough space is free where files are written."""
        return self.report(["disk_space"])["disk_space"]

    def check_memory(self) -> Check:
        """Say whether enough memory is available to the machine, or to the container."""
        return self.report(["memory"])["memory"]

    def report(self, names: Collection[str] = DEPENDENCIES) -> dict[str, Check]:
        """Run the named checks side by side and return what they found, in at most `seconds` together."""
        deadline = time.monotonic() + self.seconds
        runs = {name: self._run(name) for name in names}
        return {name: self._outcome(run, deadline) for name, run in runs.items()}

    def _run(self, name: str) -> _Run:
        with self._lock:
            run = self._runs.get(name)
            if run is not None and (not run.outcome.done() or time.monotonic() - run.finished_at < self.fresh_seconds):
                return run
            run = self._runs[name] = _Run()
        # A daemon: a check that hangs must not keep the process from ending.
        threading.Thread(target=self._execute, args=(name, run), name=f"health-{name}", daemon=True).start()
        return run

    def _outcome(self, run: _Run, deadline: float) -> Check:
        try:
            return run.outcome.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return Check(is_ok=False, reason="no answer in time", milliseconds=self.seconds * 1000)

    def _execute(self, name: str, run: _Run) -> None:
        started = time.monotonic()
        is_ok, reason, facts = True, "", {}
        try:
            facts = dict(self._checks[name]())
        except Exception as error:  # noqa: BLE001 - whatever a check raises is what it found
            is_ok, reason = False, f"{type(error).__qualname__} {describe(error)}".rstrip()
            logger.warning("health.check_failed", extra={"check": name, "reason": reason})
        run.finished_at = time.monotonic()
        elapsed = round((run.finished_at - started) * 1000, 1)
        run.outcome.set_result(Check(is_ok=is_ok, reason=reason, milliseconds=elapsed, facts=facts))

    def _database(self) -> Mapping[str, Any]:
        with _connected() as session:
            session.execute("SELECT 1")
        return {}

    def _migrations(self) -> Mapping[str, Any]:
        if not self._is_migrated:  # a database does not lose migrations while it is served
            known = known_migrations()
            with _connected() as session:
                rows = session.execute("SELECT app, name FROM django_migrations").fetchall()
            missing = known - {(app, name) for app, name in rows}
            if missing:
                raise UnhealthyError(f"{len(missing)} migrations are missing, among them {'.'.join(min(missing))}")
            self._is_migrated = True
        return {}

    def _partitions(self) -> Mapping[str, Any]:
        with _connected() as session:
            found = standings(lambda statement: session.execute(statement).fetchall(), at=timezone.now())
        if wanting := [f"{standing.table}: {fault}" for standing in found for fault in standing.faults]:
            raise UnhealthyError("; ".join(wanting))
        return {"months_ahead": min((standing.ahead for standing in found), default=0)}

    def _cache(self) -> Mapping[str, Any]:
        cache.set("health_check", "ok", 10)
        if cache.get("health_check") != "ok":
            raise UnhealthyError("the cache forgets")
        return {}

    def _redis(self) -> Mapping[str, Any]:
        with redis.Redis.from_url(
            settings.REDIS_STATE_URL, socket_timeout=self.seconds, socket_connect_timeout=self.seconds
        ) as client:
            client.ping()
        return {}

    def _disk(self) -> Mapping[str, Any]:
        usage = shutil.disk_usage(self.disk_path)
        free = 100 * usage.free / usage.total
        if free < self.disk_free_percent:
            raise UnhealthyError(f"{free:.1f} % of the disk is free")
        return {"free_percent": round(free, 1), "free_bytes": usage.free}

    def _memory(self) -> Mapping[str, Any]:
        total, available = memory()
        free = 100 * available / total
        if free < self.memory_free_percent:
            raise UnhealthyError(f"{free:.1f} % of the memory is available")
        return {
            "available_percent": round(free, 1),
            "available_bytes": available,
            "process_bytes": psutil.Process().memory_info().rss,
        }


@cached
def known_migrations() -> frozenset[tuple[str, str]]:
    """Return every migration that the installed apps bring."""
    return frozenset(MigrationLoader(None).graph.nodes)


def memory() -> tuple[int, int]:
    """Return the total and the available bytes of memory: the container's, if it is limited, else the machine's."""
    machine = psutil.virtual_memory()
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        idle = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())["inactive_file"]
    except (OSError, ValueError, KeyError):  # not in a container, or in one without a limit
        return machine.total, machine.available
    return min(limit, machine.total), min(max(0, limit - used + int(idle)), machine.available)


def _connected() -> psycopg.Connection[Any]:
    """Connect as Django does, past its pool: a pool that is busy says nothing about the server."""
    parameters = connections["default"].get_connection_params()
    return psycopg.Connection.connect(**{**parameters, "connect_timeout": 2, "autocommit": True})


@cached
def health_checker() -> HealthChecker:
    """Return this process's checker, as the setting HEALTH describes it."""
    return HealthChecker(**getattr(settings, "HEALTH", {}))


_draining = threading.Event()


def start_draining() -> None:
    """Ask for no more requests: from now on this process is not ready."""
    _draining.set()


def is_draining() -> bool:
    return _draining.is_set()


def drain_on_sigterm() -> None:
    """Start draining on SIGTERM, then do what the signal did before."""
    former = signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: FrameType | None) -> None:
        start_draining()
        if callable(former):
            former(number, frame)
        elif former == signal.SIG_DFL:
            raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, drain)
