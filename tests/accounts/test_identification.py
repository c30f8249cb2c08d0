"""Who calls, remembered between requests: never longer than it is true."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import selectors, services, tokens
from accounts.models import KeyState, RoleAssignment, Session, SigningKey
from accounts.roles import Role, ScopeKind
from core.cache.generations import Generations, generations
from core.cache.keeper import GenerationKeeper
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
ME = "/api/v1/auth/me/"


@pytest.fixture
def keeper():
    """Return a keeper that has granted a lease which outlasts the test."""
    keeper = GenerationKeeper(generations(), lease_seconds=600)
    assert keeper.tick()
    return keeper


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def client(keeper, user, client_for):
    """Return a client of the user's, who is known."""
    client = client_for(user)
    assert client.get(ME).status_code == 200
    return client


def claims_of(client):
    return tokens.read_access(client._credentials["HTTP_AUTHORIZATION"].partition(" ")[2])


def asks(client):
    """Return whether a request asks the database who calls."""
    with CaptureQueriesContext(connection) as captured:
        client.get(ME)
    return any("accounts_identify" in each["sql"] for each in captured)


def assigned(user, role, *, until=None):
    return RoleAssignment.objects.create(
        user=user, role=role, scope_kind=ScopeKind.INSTITUTION, valid=(timezone.now() - timedelta(days=1), until)
    )


def active_kid():
    return SigningKey.objects.get(state=KeyState.ACTIVE).kid


def raw(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_the_database_is_asked_once_while_nothing_changes(client):
    assert not asks(client)


def test_each_log_in_is_asked_about(client, user, client_for):
    assert asks(client_for(user))


@pytest.mark.checklist(35)
@pytest.mark.parametrize(
    ("take_back", "code"),
    [
        (lambda user: services.end_sessions(Session.objects.filter(user=user), at=timezone.now()), "session_ended"),
        (lambda user: Session.objects.filter(user=user).delete(), "session_ended"),
        (services.outdate_tokens, "invalid_token"),
        (lambda user: type(user).objects.filter(pk=user.pk).update(is_active=False), "session_ended"),
        (lambda user: raw("UPDATE accounts_user SET is_active = false WHERE id = %s", user.pk), "session_ended"),
        (lambda user: services.revoke_signing_key(kid=active_kid(), at=timezone.now()), "session_ended"),
    ],
    ids=["log out", "delete session", "outdate tokens", "disable", "disable past the models", "revoke key"],
)
def test_what_is_taken_back_is_taken_back_for_the_next_request(client, user, take_back, code):
    take_back(user)

    answer = client.get(ME)

    assert (answer.status_code, answer.json()["code"]) == (401, code)


@pytest.mark.checklist(12)
def test_roles_come_and_go_with_the_next_request(client, user):
    assert client.get(ME).json()["data"]["roles"] == []
    held = assigned(user, Role.REGISTRAR)
    assert [each["role"] for each in client.get(ME).json()["data"]["roles"]] == [Role.REGISTRAR]
    held.delete()
    assert client.get(ME).json()["data"]["roles"] == []


def test_nobody_else_is_asked_about_again(client, user, client_for):
    other = client_for(UserFactory())
    other.get(ME)

    assigned(user, Role.REGISTRAR)

    assert not asks(other)
    assert asks(client)


@pytest.mark.checklist(12)
@pytest.mark.parametrize("begins", [timedelta(seconds=-60), timedelta(seconds=1)])
def test_a_role_is_remembered_until_one_begins_or_ends(user, begins):
    now = timezone.now()
    RoleAssignment.objects.create(
        user=user,
        role=Role.REGISTRAR,
        scope_kind=ScopeKind.INSTITUTION,
        valid=(now + begins, now + timedelta(seconds=30)),
    )
    session = services.open_session(user, amr=["pwd"], at=now)

    _, seconds = selectors._identify(tokens.read_access(session.access), timezone.now())

    assert 0 < seconds <= (30 if begins < timedelta(0) else 1)


def test_a_log_in_is_remembered_until_it_ends(user):
    session = services.open_session(user, amr=["pwd"], at=timezone.now())
    Session.objects.update(expires_at=timezone.now() + timedelta(seconds=20))

    _, seconds = selectors._identify(tokens.read_access(session.access), timezone.now())

    assert 0 < seconds <= 20


def test_what_time_has_ended_is_not_remembered(client, user, monkeypatch):
    claims = claims_of(client)
    later = selectors._identified._clock() + selectors.LONGEST_IDENTIFIED
    monkeypatch.setattr(selectors._identified, "_clock", lambda: later)

    with CaptureQueriesContext(connection) as captured:
        assert selectors.user_of(claims, at=timezone.now()) == user

    assert len(captured) == 1


def test_a_request_may_change_what_it_was_given(client):
    claims = claims_of(client)
    first = selectors.user_of(claims, at=timezone.now())

    first.email, first._state.db = "changed@example.edu", "elsewhere"
    again = selectors.user_of(claims, at=timezone.now())

    assert (again.email, again._state.db, again._state.adding) != ("changed@example.edu", "elsewhere", True)
    assert again.email != "changed@example.edu"
    assert again._state.db == connection.alias


@pytest.mark.checklist(35)
def test_without_redis_the_database_is_asked(client, monkeypatch):
    nowhere = Generations("redis://127.0.0.1:1/0", prefix="nowhere")
    monkeypatch.setattr(selectors, "generations", lambda: nowhere)

    assert asks(client)
    assert client.get(ME).status_code == 200
