"""What operators watch, as this process counts it; what is so for all alike, `core.api.metrics` looks up.

The processes of one server write their counts into the files of one directory (`PROMETHEUS_MULTIPROC_DIR`, which
gunicorn's configuration makes), so whichever of them is asked can tell of all. No label is anything that a client
chooses: routes are those of the URL configuration.
"""

import time
from typing import Any

from django.db import connections
from django.http import HttpRequest
from prometheus_client import Counter, Gauge, Histogram

# From a hit to what nginx gives up on.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
# A process says so often how its pools of connections are.
SAMPLE_SECONDS = 1.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Histogram(
    "campushub360_request_seconds", "How long requests took.", ["method", "route", "status"], buckets=SECONDS
)
ANSWERS = Counter(
    "campushub360_answers", "Reads that may be answered from memory, by where the answer was found.", ["found"]
)
FAILURES = Counter("campushub360_server_failures", "How often a server was left alone after a failure.", ["server"])
LEFT_ALONE = Gauge(
    "campushub360_server_left_alone_until_seconds",
    "Until when (Unix time) a process leaves a server alone that has failed; in the past while all is well.",
    ["server"],
    multiprocess_mode="livemax",
)
STREAMS = Gauge("campushub360_streams", "Streams of events that are open.", multiprocess_mode="livesum")
POOL = {
    name: Gauge(f"campushub360_pool_{name}", text, ["database"], multiprocess_mode="livesum")
    for name, text in {
        "pool_size": "Connections that the pools hold.",
        "pool_available": "Connections that nobody uses.",
        "requests_waiting": "Requests that wait for a connection now.",
        "requests_queued": "Requests that had to wait for a connection, since the processes began.",
        "requests_wait_ms": "Milliseconds that requests waited for a connection, since the processes began.",
        "requests_errors": "Requests that got no connection, since the processes began.",
    }.items()
}


def observe(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    method = request.method if request.method in METHODS else "other"
    route = getattr(request.resolver_match, "route", None) or "none"
    REQUESTS.labels(method, route, status).observe(seconds)
    _pools.sample()


def left_alone(server: str, seconds: float) -> None:
    """Count a failure of a server, which this process leaves alone for a while."""
    FAILURES.labels(server).inc()
    LEFT_ALONE.labels(server).set(time.time() + seconds)


class _Pools:
    """The pools of this process, looked at now and then."""

    def __init__(self) -> None:
        self._next = 0.0

    def sample(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + SAMPLE_SECONDS
        for connection in connections.all(initialized_only=True):
            pool: Any = getattr(connection, "pool", None)
            for name, value in (pool.get_stats() if pool is not None else {}).items():
                if name in POOL:
                    POOL[name].labels(connection.alias).set(value)


_pools = _Pools()
