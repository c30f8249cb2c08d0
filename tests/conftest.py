"""What every test has: the fixtures below, and the servers that `campushub360.settings.testing` provides."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from redis import Redis
from rest_framework.test import APIClient

from accounts import services, tokens
from accounts.hash_kinds import kinds_in_use
from accounts.models import Person, Session, User
from accounts.roles import Role, ScopeKind
from core.ids import new_id
from core.security.limiter import Limit
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory, held_in

pytest_plugins = ["tests.needs", "tests.sharing"]

# The same examples in every run, and as much time as a busy machine takes.
hypothesis_settings.register_profile("suite", derandomize=True, deadline=None)
hypothesis_settings.load_profile("suite")

# How many cases of each test say which lines it runs; the others run the same ones, or nearly.
MEASURED_CASES = 2
CASES: Counter[str] = Counter()

# So many objects may come before the collector looks for cycles. What a request leaves is gone without it, but for a
# few; looking after every 700, as it does by itself, takes a twentieth of the time.
gc.set_threshold(50_000)


def pytest_collection_finish() -> None:
    """Spare the collector what stays to the end: thousands of tests, and all that their modules brought."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage by what runs the same lines for each of many cases, and far slower if traced."""
    controller = getattr(item.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    test = item.nodeid.partition("[")[0]
    CASES[test] += 1
    if controller is None or (item.get_closest_marker("sweep") is None and CASES[test] <= MEASURED_CASES):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


@pytest.fixture(autouse=True)
def kinds_of_hashes() -> None:
    """Let no test ask which kinds of hashes are stored, when it is time to, nor know those of another."""
    kinds_in_use.remember(())


@pytest.fixture
def client_for() -> Callable[[User | None], APIClient]:
    """Return a function that makes an API client with a live session and a real token of a user."""

    def make(user: User | None) -> APIClient:
        client = APIClient(raise_request_exception=True)
        if user is not None:
            now = timezone.now()
            session_id = new_id()
            session = Session.objects.create(
                id=session_id,
                user=user,
                current_refresh_hash=tokens.hash_of(tokens.new_refresh(session_id)),
                rotated_at=now,
                expires_at=now + timedelta(days=1),
                absolute_expires_at=now + timedelta(days=1),
            )
            claims = tokens.AccessClaims(user_id=user.pk, session_id=session.pk, token_version=user.token_version)
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {services.issue_access(claims, at=now)}")
        return client

    return make


@pytest.fixture
def user_with(db: None) -> Callable[..., User]:
    """Return a function that makes a user who holds one role within one scope."""

    def make(
        role: Role | str,
        scope_kind: ScopeKind | str | None = None,
        scope_id: UUID | None = None,
        person: Person | None = None,
        **fields: Any,
    ) -> User:
        user = UserFactory(person=person or PersonFactory(), **fields)
        RoleAssignmentFactory(user=user, role=role, **held_in(role, scope_kind, scope_id))
        return user

    return make


@pytest.fixture
def limits(settings: Any) -> Iterator[Callable[..., None]]:
    """Return a function that sets the limits, `account=3`, and nothing beside them; none is earned back in a test."""
    settings.RATE_LIMIT_PREFIX = f"test-{new_id()}"
    url = settings.REDIS_STATE_URL

    def lay_down(**bursts: int) -> None:
        settings.RATE_LIMITS = {
            name: Limit(name, quota=burst, seconds=10**6, burst=burst, outage=1) for name, burst in bursts.items()
        }

    yield lay_down
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter(f"{settings.RATE_LIMIT_PREFIX}:*"):
            redis.delete(key)


@pytest.fixture
def registrar(user_with: Callable[..., User]) -> User:
    """A registrar of the whole institution who may open the administration pages."""
    return user_with(Role.REGISTRAR, is_staff=True)


@pytest.fixture
def registrar_client(registrar: User, client_for: Callable[[User | None], APIClient]) -> APIClient:
    """An API client of the registrar."""
    return client_for(registrar)
