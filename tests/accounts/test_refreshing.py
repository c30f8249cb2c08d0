"""Staying logged in: one continuation of each session, the return of an old token, and the end of it all."""

import base64
import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import services, tokens
from accounts.models import Session, SigningKey, User
from core.models import OutboxEvent
from core.security.encryption import decrypt

pytestmark = pytest.mark.django_db
TOKEN, REFRESH, ME = "/api/v1/auth/token/", "/api/v1/auth/token/refresh/", "/api/v1/auth/me/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def account():
    return services.create_user(by=None, email="ada@example.org", password=PASSWORD)


@pytest.fixture
def anonymous(client_for):
    return client_for(None)


@pytest.fixture
def pair(anonymous, account):
    return anonymous.post(TOKEN, {"email": account.email, "password": PASSWORD}).json()["data"]


def refreshed(client, token):
    return client.post(REFRESH, {"refresh": token})


def at_once(number, act):
    """Run an act in many threads that start together, and return what each came to."""
    start = threading.Barrier(number)

    def run(_):
        try:
            start.wait(timeout=60)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def announced():
    return list(OutboxEvent.objects.filter(name="accounts.session.reused").values_list("payload", flat=True))


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    @pytest.mark.checklist(33)
    def test_twelve_who_refresh_continue_the_session_once(self, client_for, pair):
        answers = at_once(12, lambda: refreshed(client_for(None), pair["refresh"]))

        assert {answer.status_code for answer in answers} == {200}
        (successor,) = {answer.json()["data"]["refresh"] for answer in answers}
        session = Session.objects.get()
        assert bytes(session.current_refresh_hash) == tokens.hash_of(successor)
        assert bytes(session.previous_refresh_hash) == tokens.hash_of(pair["refresh"])
        assert refreshed(client_for(None), successor).status_code == 200

    @pytest.mark.checklist(33, 34)
    def test_twelve_who_come_too_late_end_the_session_once(self, client_for, pair):
        refreshed(client_for(None), pair["refresh"])
        Session.objects.update(rotated_at=timezone.now() - timedelta(seconds=11))

        answers = at_once(12, lambda: refreshed(client_for(None), pair["refresh"]))

        assert {answer.status_code for answer in answers} == {401}
        assert len(announced()) == 1

    @pytest.mark.checklist(35)
    def test_an_account_that_is_deleted_meanwhile_is_no_failure(self, client_for, pair):
        gone = threading.Barrier(7)

        def refresh():
            gone.wait(timeout=60)
            return refreshed(client_for(None), pair["refresh"]).status_code

        def delete():
            gone.wait(timeout=60)
            return User.objects.get(email="ada@example.org").delete()[0] and 204

        acts = iter([delete, *[refresh] * 6])
        lock = threading.Lock()

        def act():
            with lock:
                mine = next(acts)
            return mine()

        outcomes = Counter(at_once(7, act))

        assert outcomes.keys() <= {200, 204, 401}
        assert refreshed(client_for(None), pair["refresh"]).status_code == 401
        assert not Session.objects.exists()


@pytest.mark.checklist(34)
class TestTheReturnOfAnOldToken:
    def test_ends_the_session_for_thief_and_owner_and_is_announced(self, anonymous, pair, caplog):
        newer = refreshed(anonymous, pair["refresh"]).json()["data"]
        Session.objects.update(rotated_at=timezone.now() - timedelta(seconds=11))

        with caplog.at_level(logging.WARNING, logger="accounts.services.sessions"):
            reused = refreshed(anonymous, pair["refresh"])

        assert (reused.status_code, reused.json()["code"]) == (401, "invalid_refresh_token")
        assert refreshed(anonymous, newer["refresh"]).status_code == 401
        assert anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {newer['access']}").status_code == 401
        session = Session.objects.get()
        (event,) = announced()
        assert (event["session_id"], event["user_id"]) == (str(session.pk), str(session.user_id))
        said = [record.message for record in caplog.records if record.name == "accounts.services.sessions"]
        assert said == ["session.reused"]

    @pytest.mark.parametrize("generations", [2, 3, 5])
    def test_is_noticed_however_old_the_token_is(self, anonymous, pair, generations):
        newest = pair["refresh"]
        for _ in range(generations):
            newest = refreshed(anonymous, newest).json()["data"]["refresh"]

        assert refreshed(anonymous, pair["refresh"]).status_code == 401

        assert refreshed(anonymous, newest).status_code == 401
        assert len(announced()) == 1

    def test_within_ten_seconds_gives_the_same_successor(self, anonymous, pair):
        first = refreshed(anonymous, pair["refresh"]).json()["data"]["refresh"]
        Session.objects.update(rotated_at=timezone.now() - timedelta(seconds=5))

        assert refreshed(anonymous, pair["refresh"]).json()["data"]["refresh"] == first
        assert announced() == []

    def test_is_said_once(self, anonymous, pair):
        refreshed(anonymous, pair["refresh"])
        Session.objects.update(rotated_at=timezone.now() - timedelta(minutes=1))

        assert [refreshed(anonymous, pair["refresh"]).status_code for _ in range(3)] == [401] * 3

        assert len(announced()) == 1


def made_up(pair):
    """Return a token that names the session, with a secret and a tag that nobody gave it."""
    raw = tokens.session_of(pair["refresh"]).bytes + bytes(range(48))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


MADE_UP = {
    "a made-up secret": made_up,
    "another last letter": lambda pair: pair["refresh"][:-1] + chr(ord(pair["refresh"][-1]) ^ 1),
    "padding": lambda pair: pair["refresh"] + "==",
    "a token cut short": lambda pair: pair["refresh"][:-2],
    "a longer one": lambda pair: pair["refresh"] + "AAAA",
    "another alphabet": lambda pair: "ä" * 86,
    "an access token": lambda pair: pair["access"][:200],
    "a session id": lambda pair: str(tokens.session_of(pair["refresh"])),
    "a word": lambda _: "x",
}


@pytest.mark.checklist(34)
@pytest.mark.parametrize("make", MADE_UP.values(), ids=MADE_UP)
def test_a_made_up_token_is_refused_and_ends_nobodys_session(anonymous, pair, make):
    answer = refreshed(anonymous, make(pair))

    assert answer.status_code in (400, 401)
    assert announced() == []
    assert refreshed(anonymous, pair["refresh"]).status_code == 200


def test_a_new_secret_key_ends_no_session(anonymous, pair, settings):
    settings.SECRET_KEY = "another-key-after-the-first-one-had-been-seen-by-somebody"

    renewed = refreshed(anonymous, pair["refresh"])

    assert renewed.status_code == 200
    assert refreshed(anonymous, renewed.json()["data"]["refresh"]).status_code == 200


@pytest.mark.checklist(35)
class TestTheEnd:
    def test_comes_with_the_account(self, anonymous, pair):
        User.objects.all().delete()

        assert refreshed(anonymous, pair["refresh"]).status_code == 401
        assert anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {pair['access']}").status_code == 401

    def test_comes_with_its_being_disabled_whoever_disables_it(self, anonymous, pair):
        User.objects.update(is_active=False)  # as a repair in the database would

        assert refreshed(anonymous, pair["refresh"]).status_code == 401
        assert anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {pair['access']}").status_code == 401

    def test_comes_with_another_password(self, anonymous, account, pair):
        services.update_user(User.objects.get(pk=account.pk), by=None, password=f"{PASSWORD}, another")

        assert refreshed(anonymous, pair["refresh"]).status_code == 401
        assert anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {pair['access']}").status_code == 401
        assert User.objects.get(pk=account.pk).token_version > account.token_version

    def test_needs_no_redis(self, anonymous, pair, settings):
        settings.REDIS_URL = settings.REDIS_STATE_URL = nowhere = "redis://127.0.0.1:1/0"
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nowhere}}
        bearer = {"Authorization": f"Bearer {pair['access']}"}
        assert anonymous.get(ME, headers=bearer).status_code == 200

        services.log_out(session=Session.objects.get(), at=timezone.now())

        assert anonymous.get(ME, headers=bearer).json()["code"] == "session_ended"
        assert refreshed(anonymous, pair["refresh"]).status_code == 401


@pytest.mark.checklist(38)
class TestLifetimes:
    @pytest.fixture
    def opened(self, account):
        """Open a session at a known moment."""
        return services.open_session(account, amr=["pwd"], at=timezone.now())

    def test_a_session_that_nobody_uses_ends(self, opened):
        start = opened.session.created_at
        idle = settings.REFRESH_TOKEN_LIFETIME

        with pytest.raises(services.InvalidRefreshError):
            services.refresh_session(refresh=opened.refresh, at=start + idle + timedelta(seconds=5))

    def test_a_session_in_use_ends_all_the_same(self, opened):
        start, refresh = opened.session.rotated_at, opened.refresh
        end, step = start + settings.SESSION_ABSOLUTE_LIFETIME, settings.REFRESH_TOKEN_LIFETIME / 2
        now = start + step
        while now < end:
            refresh = services.refresh_session(refresh=refresh, at=now).refresh
            assert Session.objects.get().expires_at <= end
            now += step

        with pytest.raises(services.InvalidRefreshError):
            services.refresh_session(refresh=refresh, at=now)

    def test_use_before_the_end_puts_it_off(self, opened):
        start, idle = opened.session.rotated_at, settings.REFRESH_TOKEN_LIFETIME
        second = services.refresh_session(refresh=opened.refresh, at=start + idle - timedelta(seconds=5))

        third = services.refresh_session(refresh=second.refresh, at=start + 2 * idle - timedelta(seconds=10))

        assert third.session.absolute_expires_at == start + settings.SESSION_ABSOLUTE_LIFETIME

    @pytest.mark.parametrize("name", ["expires_at", "both"])
    def test_an_access_token_does_not_outlive_its_session(self, anonymous, pair, name):
        past = timezone.now() - timedelta(seconds=1)
        ends = {"expires_at": past} if name == "expires_at" else {"expires_at": past, "absolute_expires_at": past}
        Session.objects.update(**ends)

        answer = anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {pair['access']}")

        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")


@pytest.mark.checklist(36)
def test_no_table_holds_a_token_or_a_key_that_makes_one(anonymous, pair):
    issued = [pair, *(refreshed(anonymous, pair["refresh"]).json()["data"] for _ in "12")]
    raw = [each[name].encode() for each in issued for name in ("access", "refresh")]
    raw += [base64.urlsafe_b64decode(each["refresh"] + "==") for each in issued]
    raw += [base64.urlsafe_b64decode(each["refresh"] + "==")[16:48] for each in issued]
    raw += [each["access"].rpartition(".")[2].encode() for each in issued]
    secret = [
        decrypt(bytes(row.private_key), context=row.context)
        for row in SigningKey.objects.filter(private_key__isnull=False)
    ]

    dumped = dump()

    assert len(secret) == 2
    assert tokens.hash_of(issued[-1]["refresh"]).hex().encode() in dumped  # the dump has what there is
    for needle in [*raw, *secret, PASSWORD.encode()]:
        assert needle not in dumped
        assert needle.hex().encode() not in dumped
        assert base64.b64encode(needle).rstrip(b"=") not in dumped


def dump():
    """Return every table as COPY writes it."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        parts = []
        for name in names:
            statement = psycopg.sql.SQL("COPY (TABLE {}) TO STDOUT").format(psycopg.sql.Identifier(name))
            with cursor.copy(statement) as rows:
                parts += [bytes(row) for row in rows]
    return b"".join(parts)
