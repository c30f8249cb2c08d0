"""The edge while something behind it is stopped, killed, emptied or cut off: slower, never stale, soon well again."""

import signal
from collections.abc import Callable
from functools import partial

import pytest
from redis import Redis

from accounts.roles import Role
from departments.models import Campus
from tests.edge.conftest import CAMPUSES
from tests.edge.running import Stack
from tests.edge.test_edge import names, rename
from tests.local.conftest import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("nginx", "libnginx-mod-http-lua"),
    pytest.mark.django_db(transaction=True),
]


def keeps_again(stack: Stack, token: str) -> bool:
    return eventually(partial(stack.is_keeping, CAMPUSES, token), seconds=30)


def assert_exact(stack: Stack, token: str, campus: Campus, name: str) -> None:
    """Write through the edge, and find at once what was written, whoever has it ready."""
    for number in range(3):
        rename(stack, token, campus, f"{name} {number}")
        assert names(stack, token) == [f"{name} {number}"]


def cut_off(stack: Stack) -> None:
    """End the connection on which the edge listens."""
    with Redis.from_url(stack.cache.url) as redis:
        redis.client_kill_filter(_type="pubsub")


def test_a_cache_that_stands_still_costs_speed(stack: Stack, token: str, campus: Campus) -> None:
    with stack.cache.paused():
        assert_exact(stack, token, campus, "Paused")
        assert eventually(lambda: not stack.is_keeping(CAMPUSES, token))
        rename(stack, token, campus, "Past", past=True)
        assert names(stack, token) == ["Past"]
        assert eventually(lambda: stack.metrics()["campushub360_edge_trusted_seconds"] == 0)
        assert eventually(lambda: stack.metrics()['campushub360_edge_answers_total{found="blind"}'] > 0)

    assert keeps_again(stack, token)
    assert_exact(stack, token, campus, "After")


def test_a_cache_that_is_killed_and_comes_back_with_what_it_knew_costs_speed(
    stack: Stack, token: str, campus: Campus
) -> None:
    stack.cache.kill()
    assert_exact(stack, token, campus, "Killed")
    stack.cache.start()

    assert keeps_again(stack, token)
    assert_exact(stack, token, campus, "After")


def test_a_cache_that_is_emptied_costs_speed(stack: Stack, token: str, campus: Campus) -> None:
    stack.cache.flush()
    assert_exact(stack, token, campus, "Empty")

    assert keeps_again(stack, token)
    assert_exact(stack, token, campus, "After")


def test_a_relay_that_is_killed_costs_speed(stack: Stack, token: str, campus: Campus) -> None:
    stack.relay.kill()
    try:
        assert_exact(stack, token, campus, "Killed")
        assert eventually(lambda: not stack.is_keeping(CAMPUSES, token))
        rename(stack, token, campus, "Past", past=True)
        assert names(stack, token) == ["Past"]
    finally:
        stack.relay.start()

    assert keeps_again(stack, token)


def test_what_was_written_while_the_edge_was_cut_off_is_seen_when_it_is_not(
    stack: Stack, token: str, campus: Campus
) -> None:
    for number in range(3):
        assert keeps_again(stack, token)
        cut_off(stack)
        rename(stack, token, campus, f"Unheard {number}", past=True)

        assert eventually(lambda: names(stack, token) == [f"Unheard {number}"])  # noqa: B023 - called at once
        assert keeps_again(stack, token)
        assert names(stack, token) == [f"Unheard {number}"]


def test_whose_log_in_was_ended_while_the_edge_was_cut_off_is_refused_when_it_is_not(
    stack: Stack, token: str, token_of: Callable[[Role], str]
) -> None:
    other = token_of(Role.REGISTRAR)
    assert keeps_again(stack, other)
    cut_off(stack)
    assert stack.ask_past("/api/v1/auth/logout/", other, method="POST", body={}).status in (200, 204)

    assert eventually(lambda: stack.ask(CAMPUSES, other).status == 401)
    assert keeps_again(stack, token)
    assert stack.ask(CAMPUSES, other).status == 401


def test_while_the_application_is_away_what_is_kept_is_served_and_the_rest_asked_to_wait(
    stack: Stack, token: str
) -> None:
    stack.web.stop(signal.SIGQUIT)  # at once, whoever still holds a connection
    try:
        kept = stack.ask(CAMPUSES, token)
        other = stack.ask("/api/v1/students/", token)
    finally:
        stack.web.start()
        assert eventually(lambda: stack.ask("/livez").status == 200, seconds=60)

    assert (kept.status, kept.cache) in {(200, "EDGE-HIT"), (503, "")}
    assert (other.status, other.headers["Retry-After"]) == (503, "2")
