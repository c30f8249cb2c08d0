"""What somebody did or tried is on record: who, what, to whom, from where and in which request."""

import io
import logging
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from accounts import services
from accounts.models import User
from accounts.roles import Role
from audit.models import Event
from tests.accounts.factories import PersonFactory, UserFactory
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(94)]

PASSWORD = "correct horse battery staple"
CANARY = "canary-7391-8264-xyz"
LOG_IN = "/api/v1/auth/token/"


def events(action):
    return list(Event.objects.filter(action=action).order_by("id"))


@pytest.fixture(autouse=True)
def own_limits(settings):
    """Let no test count what another one has tried."""
    settings.RATE_LIMIT_PREFIX = f"test-{uuid4()}"


@pytest.fixture
def anonymous(client_for):
    return client_for(None)


@pytest.fixture
def account(db):
    return services.create_user(by=None, email="ada@campus.example", password=PASSWORD, person=PersonFactory())


@pytest.fixture
def logged_in(anonymous, account):
    pair = anonymous.post(LOG_IN, {"email": account.email, "password": PASSWORD}).json()["data"]
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    return anonymous, pair


def test_a_log_in_says_who_from_where_by_what_means_and_in_which_request(anonymous, account):
    answer = anonymous.post(LOG_IN, {"email": account.email, "password": PASSWORD}, headers={"X-Request-ID": "req-1"})

    (event,) = events("session.opened")
    assert answer.status_code == 200
    assert (event.actor_id, event.actor_label) == (account.pk, account.email)
    assert (event.request_id, event.address) == ("req-1", "127.0.0.1")
    assert event.detail == {"means": ["pwd"]}
    assert event.at.tzinfo is not None


def test_a_log_in_that_fails_names_the_account_it_was_tried_on_and_nothing_that_was_typed(anonymous, account):
    anonymous.post(LOG_IN, {"email": account.email, "password": CANARY})
    anonymous.post(LOG_IN, {"email": f"{CANARY}@campus.example", "password": PASSWORD})

    known, unknown = events("login.failed")
    assert (known.subject_kind, known.subject_id, known.actor_id) == ("accounts.user", str(account.pk), None)
    assert (unknown.subject_id, unknown.actor_id, unknown.actor_label) == ("", None, "")
    assert CANARY not in str([vars(event) for event in (known, unknown)])


def test_whichever_way_a_log_in_fails_it_takes_as_many_statements(anonymous, account, django_assert_num_queries):
    for email in (account.email, "nobody@campus.example"):
        with django_assert_num_queries(3):
            anonymous.post(LOG_IN, {"email": email, "password": CANARY})


def test_a_log_out_is_on_record(logged_in, account):
    client, _ = logged_in

    client.post("/api/v1/auth/logout/")

    (event,) = events("session.ended")
    assert (event.actor_id, event.on_behalf_of) == (account.pk, account.pk)


def test_a_session_that_another_ends_names_both(registrar_client, client_for, user_with, logged_in, account):
    admin = user_with(Role.SYSTEM_ADMIN)

    client_for(admin).delete(f"/api/v1/users/{account.pk}/sessions/")

    (event,) = events("session.ended")
    assert (event.actor_id, event.on_behalf_of) == (admin.pk, account.pk)


def test_a_refresh_token_that_comes_back_is_on_record(logged_in, account):
    client, pair = logged_in
    client.credentials()
    for _ in range(2):
        answer = client.post("/api/v1/auth/token/refresh/", {"refresh": pair["refresh"]})
        pair_now = answer.json()["data"]
    client.post("/api/v1/auth/token/refresh/", {"refresh": pair_now["refresh"]})

    client.post("/api/v1/auth/token/refresh/", {"refresh": pair["refresh"]})

    (event,) = events("session.reused")
    assert event.on_behalf_of == account.pk


def test_a_changed_password_is_on_record_without_it(account):
    admin = UserFactory()

    services.update_user(account, by=admin, password=CANARY)

    (event,) = events("password.changed")
    assert (event.actor_id, event.subject_id) == (admin.pk, str(account.pk))
    assert CANARY not in str(vars(event))


def test_roles_given_changed_and_taken_away_are_on_record():
    admin, user = UserFactory(), UserFactory()

    assignment = services.assign_role(user=user, role=Role.AUDITOR, by=admin)
    services.end_assignment(assignment, by=admin)

    found = [*events("role.granted"), *events("role.ended")]
    assert [(event.actor_id, event.on_behalf_of, event.detail["role"]) for event in found] == [
        (admin.pk, user.pk, "auditor")
    ] * 2


def test_a_refusal_of_the_api_is_on_record(client_for, user_with):
    student = user_with(Role.STUDENT)

    answer = client_for(student).get("/api/v1/users/", headers={"X-Request-ID": "req-2"})

    (event,) = events("access.denied")
    assert answer.status_code == 403
    assert (event.actor_id, event.request_id) == (student.pk, "req-2")
    assert event.detail == {"code": answer.json()["code"], "route": "UserViewSet.list"}


def test_a_refusal_is_on_record_when_the_request_carries_an_idempotency_key(client_for, user_with):
    client = client_for(user_with(Role.STUDENT))

    answer = client.post("/api/v1/departments/", {"code": "X"}, headers={"Idempotency-Key": "once"})

    assert answer.status_code == 403
    assert len(events("access.denied")) == 1


def test_a_row_that_is_out_of_sight_is_no_refusal(client_for, user_with):
    answer = client_for(user_with(Role.REGISTRAR)).get(f"/api/v1/students/{uuid4()}/")

    assert answer.status_code == 404
    assert events("access.denied") == []


@pytest.mark.checklist(14)
def test_the_administration_pages_leave_their_log_ins_acts_and_refusals(registrar, account):
    pages = Client()
    pages.post("/admin/login/", {"username": account.email, "password": CANARY})
    pages.force_login(registrar)
    student = StudentFactory()
    shown = pages.post(
        "/admin/departments/campus/add/", {"code": "N", "name": "North", "time_zone": "UTC", "is_active": "on"}
    )
    assert shown.status_code == 302
    pages.get("/admin/accounts/session/add/")
    pages.get(f"/admin/accounts/roleassignment/{student.pk}/delete/")

    assert [event.detail["of"] for event in events("login.failed")] == ["administration"]
    (opened,) = events("session.opened")
    assert opened.actor_id == registrar.pk
    (added,) = events("admin.added")
    assert (added.actor_id, added.subject_kind) == (registrar.pk, "departments.campus")
    assert CANARY not in str([vars(event) for event in Event.objects.all()])


def test_what_looks_like_a_secret_is_masked_and_what_is_no_plain_fact_left_out():
    from audit.services import record

    event = record(
        action="tried",
        reason="because of chk_live_0123456789",
        detail={"password": CANARY, "token": CANARY, "body": CANARY, "kept": "word", "thing": object()},
    )

    assert CANARY not in str(vars(event))
    assert "0123456789" not in event.reason
    assert event.detail["kept"] == "word"
    assert "body" not in event.detail


def test_secrets_sent_through_every_door_are_in_no_log_and_no_entry(anonymous, account, registrar_client):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    handler.setFormatter(next(h.formatter for h in root.handlers if isinstance(h.formatter, ProcessorFormatter)))
    root.addHandler(handler)
    try:
        for client in (anonymous, registrar_client):
            client.post(LOG_IN, {"email": account.email, "password": CANARY})
            client.post("/api/v1/auth/token/refresh/", {"refresh": CANARY})
            client.post("/api/v1/auth/token/verify/", {"token": CANARY})
            client.post("/api/v1/users/", {"email": "new@campus.example", "password": CANARY})
            client.get("/api/v1/students/", {"search": CANARY}, headers={"Authorization": f"Bearer {CANARY}"})
            client.post("/api/v1/person-identifiers/", {"scheme": "passport", "country": "AT", "value": CANARY})
    finally:
        root.removeHandler(handler)

    assert CANARY not in written.getvalue()
    assert CANARY not in str(list(Event.objects.values()))


def test_a_revoked_signing_key_is_on_record(logged_in):
    from accounts.models import SigningKey

    kid = SigningKey.objects.get(state="active").kid

    call_command("signing_keys", "revoke", kid, stdout=io.StringIO())

    (event,) = events("signing_key.revoked")
    assert event.detail["kid"] == kid


def test_an_identifier_that_was_revealed_is_on_record_with_the_reason(registrar, registrar_client):
    person = PersonFactory()
    identifier = services.create_identifier(by=registrar, person=person, scheme="passport", country="AT", value=CANARY)

    registrar_client.post(f"/api/v1/person-identifiers/{identifier.pk}/reveal/", {"reason": "A visa letter."})

    (event,) = events("identifier.revealed")
    assert (event.actor_id, event.subject_id, event.reason) == (registrar.pk, str(identifier.pk), "A visa letter.")
    assert event.detail == {"scheme": "passport", "person": str(person.pk)}
    assert CANARY not in str(vars(event))
    assert User.objects.filter(pk=event.actor_id).exists()
