"""The product as it is deployed, around the database of the tests."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from accounts.roles import Role
from campushub360.local.engine import free_port
from campushub360.settings import base
from departments.models import Campus
from tests.edge.late import heard_late
from tests.edge.running import Cache, Part, Stack, database_url
from tests.local.conftest import eventually
from tests.local.proxying import nginx

CAMPUSES = "/api/v1/campuses/"


@contextmanager
def product(folder: Path, *, late: float = 0) -> Iterator[Stack]:
    """Run the product; its edge hears from the cache so many seconds late."""
    with ExitStack() as ends:
        cache = Cache(folder / ".campus")
        ends.callback(cache.stop)
        port = free_port()
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.edge.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": cache.url,
            "REDIS_STATE_URL": settings.REDIS_URL,
            "BIND": f"127.0.0.1:{port}",
            "WEB_CONCURRENCY": "1",
            "NUM_PROXIES": "1",
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
        }
        relay = Part("relay", folder, "manage.py", "relay", **environment)
        ends.callback(relay.stop)
        web = Part("web", folder, "-m", "gunicorn", "--config", "python:campushub360.gunicorn", **environment)
        ends.callback(web.stop, signal.SIGQUIT)
        proxy = ends.enter_context(
            nginx(
                folder,
                application=port,
                with_edge=True,
                rate="5000r/s",
                says="warn",
                EDGE_REDIS_URL=ends.enter_context(heard_late(cache, late)) if late else cache.url,
                PATH=os.defpath,
            )
        )
        stack = Stack(cache, relay, web, port, proxy.tls_port, proxy.metrics_port, folder / "fullchain.pem")
        assert eventually(lambda: stack.ask("/livez").status == 200)
        yield stack


@pytest.fixture(scope="module")
def stack(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Provide the running product."""
    with product(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(autouse=True)
def beside_it(stack: Stack, settings: Any, transactional_db: None) -> None:
    """Let this process count as one more of the product's: what it writes is raised where the stack looks."""
    settings.REDIS_URL = stack.cache.url
    settings.GENERATIONS_PREFIX = base.GENERATIONS_PREFIX


@pytest.fixture
def campus() -> Campus:
    return Campus.objects.create(code="NORTH", name="North", time_zone="Europe/Vienna")


@pytest.fixture
def token_of(stack: Stack, user_with: Callable[..., User]) -> Callable[[Role], str]:
    """Return a function that logs in somebody else who holds a role."""
    return lambda role: stack.log_in(user_with(role))


@pytest.fixture
def token(stack: Stack, campus: Campus, token_of: Callable[[Role], str]) -> str:
    """The token of a registrar, whose list of campuses the edge keeps."""
    token = token_of(Role.REGISTRAR)
    assert eventually(lambda: stack.is_keeping(CAMPUSES, token))
    return token
