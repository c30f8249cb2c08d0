"""gunicorn's configuration, the same for `make run` and the container image.

gevent workers: a request that waits for PostgreSQL or Redis lets others run. Each worker patches the standard library
after the fork and opens its own pool of connections at its first query, so no socket is ever shared by two processes.
"""

import gc
import os
import resource
import shutil
import tempfile
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
wsgi_app = "campushub360.wsgi:application"
worker_class = "campushub360.refusing.RefusingWorker"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
# 200 requests, of which more at once would only queue for the pool of connections and be refused after eight seconds,
# and 400 streams, which wait for the most part (`notifications.streaming`).
worker_connections = 600
# Sockets of those, of what they ask, and files. Many systems let a process have no more than 1024 unless it asks.
MOST_FILES = 4096
timeout = 60
graceful_timeout = 30
keepalive = 75  # longer than nginx keeps an idle connection, so that nginx is the one who closes it
backlog = 1024

limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# Only these may say that a request came over HTTPS. nginx overwrites the header.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1"
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
forwarder_headers = ""
control_socket_disable = True

proc_name = "campushub360"
accesslog = None  # core.middleware writes the access log, with the request's id and caller
errorlog = "-"

# Where the processes keep what they count, so that any of them can tell of all (`core.metrics`).
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="campushub360-metrics-"))


def on_starting(_server: Arbiter) -> None:
    """Let each worker have as many files open as it may need."""
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    if usual != resource.RLIM_INFINITY and usual < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """Let the gauges of a worker that ended count no more."""
    from prometheus_client import multiprocess

    ended: Any = multiprocess.mark_process_dead
    ended(worker.pid)


def on_exit(_server: Arbiter) -> None:
    """Remove what was counted."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(_worker: Worker) -> None:
    """Let `/readyz` answer 503 from the moment the worker is told to stop, and answers leave in one piece.

    What exists by now stays, so nobody looks through it for garbage again.
    """
    from campushub360.answering import answer_at_once
    from core.health import drain_on_sigterm

    drain_on_sigterm()
    answer_at_once()
    gc.collect()
    gc.freeze()


def worker_exit(_server: Arbiter, _worker: Worker) -> None:
    """Give the worker's database connections back instead of leaving them to a timeout."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
