"""Addresses that people take for one are one account's."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from accounts import services
from accounts.models import User
from core.errors import DomainError
from tests.accounts.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(24)]
PASSWORD = "correct horse battery staple"
PAYPAL = "billing@paypal.example"
# Letters of other scripts are written by their numbers, since nobody could tell them apart here.
SPELLINGS = {
    "case": "BILLING@PayPal.Example",
    "spaces": "  billing@paypal.example ",
    "full width": "\uff42illing@paypal.example",
    "ligature": "billing@paypa\u2113.example",
    "dotless i": "b\u0131lling@paypal.example",
    "Cyrillic": "billing@p\u0430yp\u0430l.example",
    "Cyrillic capitals": "billing@P\u0410YP\u0410L.example",
    "Greek": "billing@p\u03b1yp\u03b1l.example",
    "small capitals": "billing@pay\u1d18al.example",
    "invisible": "billing@pay\u200bpal.example",
    "soft hyphen": "billing@pay\u00adpal.example",
}


@pytest.fixture
def billing() -> User:
    return services.create_user(by=None, email=PAYPAL, password=PASSWORD)


@pytest.mark.parametrize("email", SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_is_no_other_account(billing: User, email: str) -> None:
    assert User.objects.addressed(email).get() == billing
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(email=email)


@pytest.mark.parametrize(
    "email", ["billing@paypal.example.org", "bi11ing@paypal.example", "b\u00efling@paypal.example"]
)
def test_what_can_be_told_apart_is_another_account(billing: User, email: str) -> None:
    assert not User.objects.addressed(email).exists()
    assert UserFactory(email=email).pk != billing.pk


def test_another_spelling_is_refused_as_taken(billing: User) -> None:
    with pytest.raises(DomainError) as refused:
        services.create_user(by=None, email=SPELLINGS["Cyrillic"])

    assert refused.value.error_code == "email_taken"


def test_every_spelling_logs_in_and_counts_the_same_guesses(client: Any, billing: User) -> None:
    def log_in(email: str, password: str) -> int:
        body = {"email": email, "password": password}
        status: int = client.post("/api/v1/auth/token/", body, content_type="application/json").status_code
        return status

    assert {log_in(email, PASSWORD) for email in SPELLINGS.values()} == {200}
    assert {log_in(email, "a guess") for email in SPELLINGS.values()} == {401}
    assert log_in(PAYPAL, PASSWORD) == 401


def test_the_migration_names_the_accounts_that_have_to_change() -> None:
    migration = import_module("accounts.migrations.0011_make_addresses_one_identity")
    UserFactory(email="other@example.org")
    migration.refuse_collisions(apps, None)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX accounts_user_one_identity")
    pair = [UserFactory(email=PAYPAL), UserFactory(email=SPELLINGS["Cyrillic"])]

    with pytest.raises(RuntimeError, match=f"Change all but one: {pair[0].pk} and {pair[1].pk}$"):
        migration.refuse_collisions(apps, None)
