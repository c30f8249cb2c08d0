"""`make profile`: where the time of a list, and of a list that is remembered, goes; it says what holds a target back.

A process without a server asks itself again and again, and looks every millisecond of its processor time at where it
is. What the standard library does is counted with whoever called it. Beside it stands what PostgreSQL's process and
Redis spent on the same requests.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from campushub360.local import CHECKOUT

REQUESTS, BEFORE = 2_000, 100
MILLISECOND = 0.001
# What takes less of the time is not worth a line.
LEAST = 0.02
INSTALLED = "site-packages"


@dataclass(frozen=True)
class Spent:
    """Milliseconds of processor time for each request, and which part of the process's own was spent where."""

    process: float
    database: float
    redis: float
    parts: Counter[str]

    def __str__(self) -> str:
        samples = self.parts.total()
        shares = ((part, count / samples) for part, count in self.parts.most_common())
        ours = f"{self.process:.2f} ms, PostgreSQL {self.database:.2f} ms, Redis {self.redis:.2f} ms"
        lines = [f"  {share:4.0%}  {part}" for part, share in shares if share >= LEAST]
        return "\n".join([f"the process {ours}", *lines])


def part_of(frame: FrameType | None) -> str:
    """Return what a frame belongs to: a folder of the product, or a package and, of Django, its database layer."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if INSTALLED in path.parts:
            package, inner, *_ = (*path.parts[path.parts.index(INSTALLED) + 1 :], "")
            return "django.db" if (package, inner) == ("django", "db") else package
        if path.is_relative_to(CHECKOUT):
            return "/".join(path.relative_to(CHECKOUT).parts[:2])
        frame = frame.f_back
    return "Python"


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Give where the process is, every millisecond of its processor time."""
    parts: Counter[str] = Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        parts[part_of(frame)] += 1

    former = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, MILLISECOND, MILLISECOND)
    try:
        yield parts
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)


def spent(ask: Callable[[], Any], database: Callable[[], float], redis: Callable[[], float], times: int) -> Spent:
    """Ask so often, and return what each took; `database` and `redis` say what these have spent in all, in seconds."""
    for _ in range(BEFORE):
        ask()
    began = time.process_time(), database(), redis()
    with sampled() as parts:
        for _ in range(times):
            ask()
    ended = time.process_time(), database(), redis()
    process, theirs, kept = (1000 * (after - before) / times for before, after in zip(began, ended, strict=True))
    return Spent(process, theirs, kept, parts)


def main(scale: str) -> None:
    """Print where the time goes, on the data of `make bench`."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "campushub360.settings.testing"
    os.environ["TEST_DATABASE_NAME"] = f"benchmarks_{scale}_campushub360"
    import django

    django.setup()
    import psutil
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from benchmarks import data, machine
    from benchmarks.contenders import bearer, registrar
    from benchmarks.hits import COURSES
    from benchmarks.lists import PRODUCT
    from core.redis import redis_at

    cache = redis_at(settings.REDIS_URL, patience=1)

    def database() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        taken = psutil.Process(pid).cpu_times()
        return float(taken.user + taken.system)

    def redis() -> float:
        taken = cache.info("cpu")
        return float(taken["used_cpu_user"] + taken["used_cpu_sys"])

    sys.stdout.write(f"commit {machine.commit()}, {REQUESTS:,} requests each, on {scale}\n")
    with data.prepared(scale), data.kept():
        client = Client(headers=bearer(registrar()))
        for name, path in (("list", PRODUCT), ("application hit", COURSES)):
            answer = client.get(path)
            found = spent(partial(client.get, path), database, redis, REQUESTS)
            sys.stdout.write(f"{name} ({answer.status_code}): {found}\n")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["medium"])
