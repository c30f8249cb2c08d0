"""How often a caller may ask, as clients meet it: refusals, headers, and whose requests count against what."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.urls import get_resolver
from redis import Redis
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from core.api import throttling
from core.api.limited import LimitedMixin
from core.checks import routed_views

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(49)]

ME = "/api/v1/auth/me/"
ROLES = "/api/v1/roles/"
TOKEN = "/api/v1/auth/token/"
RESET = "/api/v1/auth/password/reset/"


def statuses(client: APIClient, times: int, url: str = ME, **options: Any) -> list[int]:
    return [client.get(url, **options).status_code for _ in range(times)]


def test_one_request_too_many_is_refused_with_a_reason_and_a_time(
    limits: Callable[..., None], registrar_client: APIClient
) -> None:
    limits(account=2)

    assert statuses(registrar_client, 2) == [200, 200]
    refused = registrar_client.get(ME)

    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "throttled"
    assert refused.json()["request_id"] == refused["X-Request-ID"]
    assert 0 < int(refused["Retry-After"]) <= 500_000
    assert refused["Cache-Control"] == "private, no-store"


def test_every_answer_says_where_the_caller_stands(limits: Callable[..., None], registrar_client: APIClient) -> None:
    limits(account=3, address=5)

    first = registrar_client.get(ME)
    refused = [registrar_client.get(ME) for _ in range(3)][-1]

    assert first["RateLimit-Policy"] == '"account";q=3;w=1000000, "address";q=5;w=1000000'
    assert re.fullmatch(r'"account";r=2;t=\d+, "address";r=4;t=\d+', first["RateLimit"])
    assert re.fullmatch(r'"account";r=0;t=\d+, "address";r=2;t=\d+', refused["RateLimit"])
    assert refused["RateLimit-Policy"] == first["RateLimit-Policy"]


def test_accounts_do_not_spend_each_others(
    limits: Callable[..., None], registrar_client: APIClient, user_with: Callable[..., User], client_for: Any
) -> None:
    limits(account=1)
    another = client_for(user_with(Role.REGISTRAR))

    assert statuses(registrar_client, 2) == [200, 429]
    assert statuses(another, 2) == [200, 429]


def test_all_sessions_of_an_account_are_one_caller(
    limits: Callable[..., None], registrar: User, client_for: Any
) -> None:
    limits(account=2)

    assert [statuses(client_for(registrar), 1) for _ in range(3)] == [[200], [200], [429]]


def test_an_address_is_counted_whoever_sits_there(
    limits: Callable[..., None], registrar_client: APIClient, client: Any
) -> None:
    limits(address=3)

    assert statuses(registrar_client, 2) == [200, 200]
    assert statuses(client, 2) == [401, 429]
    assert statuses(client, 1, REMOTE_ADDR="192.0.2.7") == [401]


def test_the_addresses_of_one_ipv6_network_are_one_caller(limits: Callable[..., None], client: Any) -> None:
    limits(address=2)

    seen = [statuses(client, 1, REMOTE_ADDR=f"2001:db8:0:1::{host}") for host in (1, 2, 3)]

    assert seen == [[401], [401], [429]]
    assert statuses(client, 1, REMOTE_ADDR="2001:db8:0:2::1") == [401]


def test_a_route_is_counted_for_each_caller_and_whatever_its_ids(
    limits: Callable[..., None], registrar_client: APIClient, client_for: Any, user_with: Callable[..., User]
) -> None:
    limits(route=2)
    rows = [f"/api/v1/students/{uuid4()}/" for _ in range(3)]

    assert [registrar_client.get(row).status_code for row in rows] == [404, 404, 429]
    assert statuses(registrar_client, 1) == [200]
    assert client_for(user_with(Role.REGISTRAR)).get(rows[0]).status_code == 404


def test_everybody_together_is_counted_and_not_told_how_far_they_are(
    limits: Callable[..., None], registrar_client: APIClient, client: Any
) -> None:
    limits(**{"global": 2})

    first, refused = registrar_client.get(ME), [client.get(ME), client.get(ME)][-1]

    assert (first.status_code, refused.status_code) == (200, 429)
    assert not first.has_header("RateLimit")
    assert refused.has_header("Retry-After")


@pytest.mark.checklist(14, 81)
def test_guesses_of_passwords_and_tokens_share_a_limit_of_their_own(limits: Callable[..., None], client: Any) -> None:
    limits(token=4, account=100)
    guess = {"email": "somebody@example.org", "password": "a guess"}

    tried = [client.post(TOKEN, guess, content_type="application/json").status_code for _ in range(2)]
    tried.append(client.post(f"{TOKEN}verify/", {"token": "guess"}, content_type="application/json").status_code)
    tried.append(client.post(RESET, {"email": "somebody@example.org"}, content_type="application/json").status_code)
    tried.append(client.post("/admin/login/", {"username": "somebody", "password": "a guess"}).status_code)

    assert tried == [401, 401, 401, 202, 429]
    assert statuses(client, 1) == [401]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("GET /api/v1/nowhere/", 404),
        ("GET /api/v1/students/00000000-0000-4000-8000-000000000000/", 404),
        ("GET /api/v1/audit-events/", 403),
        (f"GET {ROLES}?nothing=1", 400),
        (f"DELETE {ROLES}", 405),
        (f"TRACE {ROLES}", 405),
        ("POST /api/v1/docs/", 405),
    ],
)
def test_every_refusal_is_counted_once_and_says_where_the_caller_stands(
    limits: Callable[..., None], client_for: Any, user_with: Callable[..., User], asked: str, status: int
) -> None:
    limits(address=3)
    student = client_for(user_with(Role.STUDENT))

    answers = [student.generic(*asked.split()) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [status, status, status, 429]
    assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [
        *('"address";r=2', '"address";r=1', '"address";r=0', '"address";r=0')
    ]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"address";q=3;w=1000000'}


def test_what_is_refused_for_its_network_is_counted(limits: Callable[..., None], settings: Any, client: Any) -> None:
    settings.IP_ALLOW_LIST = {"/admin/": ["10.0.0.0/8"]}
    limits(address=1)

    assert statuses(client, 2, "/admin/login/") == [403, 429]


def test_tokens_that_are_refused_are_counted(limits: Callable[..., None]) -> None:
    limits(address=2)
    client = APIClient(HTTP_AUTHORIZATION="Bearer guess")

    assert statuses(client, 3) == [401, 401, 429]


def test_a_refused_request_reads_nothing_but_its_caller(
    limits: Callable[..., None], registrar_client: APIClient, django_assert_num_queries: Any
) -> None:
    limits(account=1)
    registrar_client.get(ROLES)

    with django_assert_num_queries(1):
        refused = registrar_client.get("/api/v1/students/")

    assert refused.status_code == 429


def test_an_api_key_is_counted_beside_its_account(limits: Callable[..., None], rf: Any, registrar: User) -> None:
    limits(key=2, account=5)

    demands = list(throttling.demands_of(rf.get(ME), account=str(registrar.pk), key="k1"))

    assert [(demand.limit.name, demand.subject) for demand in demands] == [
        ("key", "k1"),
        ("account", str(registrar.pk)),
    ]


@pytest.mark.parametrize("probe", ["/livez", "/readyz"])
def test_probes_are_not_counted(limits: Callable[..., None], client: Any, probe: str) -> None:
    limits(address=1, route=1, **{"global": 1})

    answers = [client.get(probe) for _ in range(3)]

    assert 429 not in [answer.status_code for answer in answers]
    assert not answers[-1].has_header("RateLimit")


@pytest.mark.parametrize("page", ["/health/", "/api/v1/schema/", "/api/v1/docs/", "/admin/login/", "/"])
def test_pages_are_counted_by_address(limits: Callable[..., None], client: Any, page: str) -> None:
    limits(address=1)

    answers = [client.get(page) for _ in range(2)]

    assert answers[0].status_code != 429
    assert answers[1].status_code == 429
    assert answers[1]["Retry-After"]
    assert answers[1].json()["code"] == "throttled"


def test_a_request_costs_one_question_to_the_limiter(
    limits: Callable[..., None], settings: Any, registrar_client: APIClient
) -> None:
    limits(account=9, address=9, route=9, key=9, **{"global": 9})
    registrar_client.get(ME)

    with Redis.from_url(settings.REDIS_STATE_URL) as redis, redis.monitor() as monitor:
        registrar_client.get(ME)
        redis.echo("the end")
        sent = []
        for command in monitor.listen():
            if command["command"] == "ECHO the end":
                break
            sent.append(command)

    ours = [each for each in sent if settings.RATE_LIMIT_PREFIX in each["command"] and each["client_type"] != "lua"]
    assert len(ours) == 1


def test_without_redis_requests_are_answered_and_bounded(
    limits: Callable[..., None], settings: Any, registrar_client: APIClient
) -> None:
    limits(account=50)
    settings.REDIS_STATE_URL = "redis://127.0.0.1:1/0"

    assert statuses(registrar_client, 3) == [200, 429, 429]


def test_every_view_of_the_api_counts_its_requests() -> None:
    uncounted = [view for view, _ in routed_views(get_resolver()) if not issubclass(view, LimitedMixin)]

    assert uncounted == []


@pytest.mark.parametrize("client_says", ["192.0.2.99", "10.0.0.1, 192.0.2.99", "garbage", ""])
@pytest.mark.checklist(50)
def test_what_a_client_claims_about_its_address_changes_nothing(
    limits: Callable[..., None], client: Any, client_says: str
) -> None:
    limits(address=1)
    claims = {"X-Forwarded-For": client_says, "X-Real-IP": client_says, "Forwarded": f"for={client_says}"}

    assert statuses(client, 1) == [401]
    assert statuses(client, 1, headers=claims) == [429]
