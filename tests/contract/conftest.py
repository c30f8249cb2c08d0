"""A university in the middle of its work: the demo's rows, and some of everything that happens to them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from rest_framework.test import APIClient

from campushub360.demo.university import MAIL
from tests.contract.work import work_for_a_term
from tests.demo.seeding import seeded


def client_of(role: str) -> APIClient:
    """Return a client that has logged in as the demo account of a role, for as long as all the tests here may take."""
    client = APIClient()
    credentials = {"email": f"{role}@{MAIL}", "password": settings.DEMO_PASSWORD}
    with override_settings(ACCESS_TOKEN_LIFETIME=timedelta(hours=6)):
        answer = client.post("/api/v1/auth/token/", credentials, format="json").json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer['data']['access']}")
    return client


@pytest.fixture(scope="package")
def university(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Provide the small university of `seed_demo` after a term's work, to all modules here; tests undo what they do."""
    with seeded(django_db_blocker):
        work_for_a_term(client_of("registrar"), client_of("system_admin"))
        connection.check_constraints()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as an autovacuum would; what is not committed, it cannot see
        yield


@pytest.fixture(scope="package")
def clients(university: None) -> dict[str, APIClient]:
    """Provide clients of the two roles that work with everything, and of three that see their part of it."""
    return {role: client_of(role) for role in ("registrar", "system_admin", "department_head", "faculty", "student")}


@pytest.fixture
def system_admin(clients: dict[str, APIClient]) -> APIClient:
    """Provide a client of an administrator, who may do everything."""
    return clients["system_admin"]
