"""Changing the address that logs in: who may, what it tells, and what it ends."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import services
from accounts.models import AccountMail, Session, User
from accounts.services.mails import LINKS_OF_ACCOUNT
from audit.models import Event as AuditEvent
from core.ids import new_id
from tests.accounts.factories import UserFactory
from tests.accounts.mails import last_secret, send_wanted
from tests.racing import at_once

pytestmark = pytest.mark.django_db
CHANGE, CONFIRM, ME = (f"/api/v1/auth/{name}/" for name in ("email/change", "email/change/confirm", "me"))
PASSWORD = "correct horse battery staple"
OLD, NEW, TAKEN = "ada@example.org", "ada.king@example.org", "grace@example.org"


@pytest.fixture(autouse=True)
def own_limits(settings: Any) -> None:
    settings.RATE_LIMIT_PREFIX = f"test-{new_id()}"


@pytest.fixture
def ada() -> User:
    return services.create_user(by=None, email=OLD, password=PASSWORD)


@pytest.fixture
def here(ada: User, client_for: Callable[..., Any]) -> Any:
    return client_for(ada)


def asked(client: Any, new: str = NEW, password: str = PASSWORD) -> Any:
    return client.post(CHANGE, {"new_email": new, "current_password": password})


def secret_for(client: Any) -> str:
    """Ask for another address, have the mails sent and return the secret of the link."""
    assert asked(client).status_code == 202
    assert NEW in send_wanted()
    return last_secret()


def refusal(answer: Any) -> tuple[int, str, str]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error["field"]


@pytest.mark.checklist(27, 37)
def test_the_reader_of_the_new_mailbox_changes_it_once(ada: User, here: Any, client_for: Any) -> None:
    elsewhere, anybody = client_for(ada), client_for(None)
    secret = secret_for(here)

    answer = anybody.post(CONFIRM, {"token": secret})

    assert (answer.status_code, answer.content) == (204, b"")
    ada.refresh_from_db()
    assert (ada.email, ada.token_version) == (NEW, 2)
    assert elsewhere.get(ME).json()["code"] == "session_ended"
    assert here.get(ME).json()["code"] == "invalid_token"
    assert Session.objects.filter(revoked_at=None).count() == 1
    assert AuditEvent.objects.get(action="account.address_changed").actor_id == ada.pk
    assert anybody.post("/api/v1/auth/token/", {"email": NEW, "password": PASSWORD}).status_code == 200
    assert refusal(anybody.post(CONFIRM, {"token": secret})) == (400, "link_not_good", "token")


@pytest.mark.checklist(37)
def test_the_present_password_is_asked_for(ada: User, here: Any) -> None:
    assert refusal(asked(here, password="a guess")) == (400, "wrong_password", "current_password")
    assert not AccountMail.objects.exists()


def test_the_former_address_hears_of_both_and_learns_nothing(ada: User, here: Any, client_for: Any) -> None:
    secret = secret_for(here)
    client_for(None).post(CONFIRM, {"token": secret})
    send_wanted()

    notices = [message for message in mail.outbox if message.to == [OLD]]
    assert [message.subject for message in notices] == [
        "Another address was asked for (CampusHub360)",
        "Your address was changed (CampusHub360)",
    ]
    assert not [message for message in notices if NEW in str(message.message()) or "token" in message.body]


@pytest.mark.checklist(27)
@pytest.mark.parametrize("spelling", [TAKEN, "Grace@Example.ORG"])
def test_an_address_that_is_taken_is_answered_like_a_free_one(ada: User, here: Any, spelling: str) -> None:
    UserFactory(email=TAKEN)

    answers = [asked(here, address) for address in (NEW, spelling)]

    told = [(answer.status_code, {**answer.json(), "timestamp": ""}) for answer in answers]
    assert told[0] == told[1]
    assert sorted(send_wanted()) == sorted([NEW, OLD, OLD])


def test_an_address_that_is_taken_meanwhile_is_no_longer_to_be_had(ada: User, here: Any, client_for: Any) -> None:
    secret = secret_for(here)
    UserFactory(email=NEW.upper())

    assert refusal(client_for(None).post(CONFIRM, {"token": secret})) == (400, "link_not_good", "token")
    assert here.get(ME).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_one_gets_an_address(ada: User, here: Any, client_for: Any) -> None:
    grace = services.create_user(by=None, email=TAKEN, password=PASSWORD)
    secrets = [secret_for(here), secret_for(client_for(grace))]

    outcomes = at_once(*[lambda each=each: services.change_address(token=each, at=timezone.now()) for each in secrets])

    assert sorted(map(str, outcomes)) == ["None", "link_not_good"]
    assert User.objects.filter(email=NEW).count() == 1


def test_a_changed_password_is_the_end_of_a_link(ada: User, here: Any, client_for: Any) -> None:
    secret = secret_for(here)
    services.update_user(ada, by=None, password="wrong donkey charger paperclip")

    assert refusal(client_for(None).post(CONFIRM, {"token": secret})) == (400, "link_not_good", "token")
    reset = {"token": secret, "new_password": "wrong donkey charger paperclip"}
    assert client_for(None).post("/api/v1/auth/password/reset/confirm/", reset).status_code == 400


def test_what_is_no_other_address_is_refused(ada: User, here: Any) -> None:
    assert refusal(asked(here, OLD)) == (400, "email_unchanged", "new_email")
    assert refusal(asked(here, "b@example.org\r\nBcc: evil@example.org")) == (400, "invalid", "new_email")


def test_no_mailbox_is_flooded(here: Any, client_for: Any) -> None:
    answers = [asked(here) for _ in range(LINKS_OF_ACCOUNT.burst + 1)]
    others = services.create_user(by=None, email=TAKEN, password=PASSWORD)
    asked(client_for(others))

    assert refusal(answers[-1]) == (403, "too_many_addresses", "new_email")
    assert send_wanted().count(NEW) == LINKS_OF_ACCOUNT.burst


def test_an_administrator_who_changes_it_lets_the_former_address_know(ada: User) -> None:
    services.update_user(ada, by=None, email=NEW)

    assert send_wanted() == [OLD]
