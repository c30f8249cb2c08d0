"""One worker of the product as it runs, with few connections to the database and a Redis that tests kill."""

import http.client
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from redis import Redis

from campushub360.settings import base
from tests.accounts.factories import UserFactory
from tests.edge.running import Cache, Part, ask, database_url
from tests.local.conftest import eventually, free_port

ACCOUNTS = 30
# Of the worker to the database, and what they are called by there.
CONNECTIONS, NAME = 4, "campushub360-streams"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Cache]:
    server = Cache(tmp_path / "state")
    yield server
    server.stop()


@pytest.fixture
def web(tmp_path: Path, state: Cache, settings: Any) -> Iterator[tuple[Part, int]]:
    """One worker of the product with four connections to the database, and its port."""
    settings.REDIS_STATE_URL, settings.NOTIFICATIONS_CHANNEL = state.url, base.NOTIFICATIONS_CHANNEL
    port = free_port()
    web = Part(
        "web", tmp_path, "-m", "gunicorn", "--config", "python:campushub360.gunicorn",
        DJANGO_SETTINGS_MODULE="tests.notifications.stream_settings", DATABASE_URL=database_url(),
        REDIS_STATE_URL=state.url, REDIS_URL=settings.REDIS_URL, BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY="1",
        STREAMS_CONNECTIONS=str(CONNECTIONS), STREAMS_NAME=NAME,
    )  # fmt: skip
    try:
        assert eventually(lambda: status_of(port, "/livez", "") == 200, seconds=120)
        yield web, port
    finally:
        web.stop(signal.SIGQUIT)


@pytest.fixture
def names(client_for: Any) -> dict[Any, str]:
    """Accounts, and what they authenticate by."""
    users = [UserFactory() for _ in range(ACCOUNTS)]
    return {user: client_for(user)._credentials["HTTP_AUTHORIZATION"] for user in users}


def status_of(port: int, path: str, authorization: str) -> int:
    try:
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        return ask(server, path, authorization.removeprefix("Bearer ")).status
    except OSError:
        return 0


def connections_held() -> list[int]:
    """Return which processes of the database answer the worker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s", [NAME]
        )
        return [pid for (pid,) in cursor.fetchall()]


def connections_of_redis(state: Cache) -> int:
    """Return how many connections listen at the state Redis."""
    with Redis.from_url(state.url) as redis:
        return sum(int(each["sub"]) for each in redis.client_list())
