"""Logging in with a password: what it costs, how often it may be tried, and by whom."""

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import bcrypt
import pytest
from django.conf import settings as project
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, identify_hasher
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from redis import Redis

from accounts import devices, hashing, services, tasks
from accounts.hashers import Argon2idHasher
from accounts.models import GuessCount, Session, User
from accounts.services.guesses import FORGOTTEN_AFTER, FREE, MANY_LOCKED
from audit.models import Event as AuditEvent
from campushub360.local import CHECKOUT
from core.models import OutboxEvent
from tests.accounts.factories import UserFactory
from tests.local.conftest import eventually, free_port
from tests.racing import at_once

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/auth/token/"
PASSWORD, WRONG = "correct horse battery staple", "incorrect horse battery staple"
ADA, NOBODY = "ada@example.org", "nobody@example.org"
REAL_HASHERS = project.PASSWORD_HASHERS[1:]
FAST = "django.contrib.auth.hashers.MD5PasswordHasher"


@pytest.fixture
def ada() -> User:
    return services.create_user(by=None, email=ADA, password=PASSWORD)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Counter[str]:
    """Count every computation of a hash, by the stored password it was for or `made` for one that was made."""
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2idHasher", FAST]
    monkeypatch.setattr(Argon2idHasher, "memory_cost", 64)
    monkeypatch.setattr(Argon2idHasher, "time_cost", 1)
    counted: Counter[str] = Counter()
    verify, encode = Argon2idHasher.verify, Argon2idHasher.encode

    def counting_verify(self: Any, password: str, encoded: str) -> bool:
        counted[encoded] += 1
        right: bool = verify(self, password, encoded)
        return right

    def counting_encode(self: Any, *arguments: Any) -> str:
        counted["made"] += 1
        stored: str = encode(self, *arguments)
        return stored

    monkeypatch.setattr(Argon2idHasher, "verify", counting_verify)
    monkeypatch.setattr(Argon2idHasher, "encode", counting_encode)
    return counted


def attempt(email: str = ADA, password: str = WRONG, *, device: str = "", at: datetime | None = None) -> Any:
    """Return the tokens of a log-in, or None when it is refused."""
    try:
        return services.log_in(email=email, password=password, device=device, at=at or timezone.now())
    except services.InvalidCredentialsError:
        return None


def lock(email: str = ADA, *, at: datetime | None = None) -> None:
    for _ in range(FREE):
        attempt(email, at=at)


class TestHashing:
    @pytest.mark.checklist(20)
    def test_is_argon2id_of_the_declared_size(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = REAL_HASHERS

        stored = hashing.hashed(PASSWORD)

        assert stored.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert hashing.check(PASSWORD, stored) == (True, False)

    @pytest.mark.checklist(20)
    @pytest.mark.parametrize("older", ["bcrypt", "smaller argon2id"])
    def test_of_an_older_kind_is_replaced_at_the_next_log_in(
        self, ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch, older: str
    ) -> None:
        settings.PASSWORD_HASHERS = REAL_HASHERS
        if older == "bcrypt":
            hasher: Any = BCryptSHA256PasswordHasher()
            stored = hasher.encode(PASSWORD, bcrypt.gensalt(4))
        else:
            with monkeypatch.context() as smaller:
                smaller.setattr(Argon2idHasher, "memory_cost", 64)
                stored = hashing.hashed(PASSWORD)
        User.objects.filter(pk=ada.pk).update(password=stored)

        assert attempt(password=WRONG) is None
        assert User.objects.get(pk=ada.pk).password == stored
        assert attempt(password=PASSWORD) is not None

        replaced = User.objects.get(pk=ada.pk).password
        assert "m=19456,t=2,p=1" in replaced
        assert identify_hasher(replaced).verify(PASSWORD, replaced)

    @pytest.mark.checklist(19)
    @pytest.mark.parametrize("hasher", ["accounts.hashers.Argon2idHasher", REAL_HASHERS[1], REAL_HASHERS[2]])
    def test_tells_passwords_apart_that_differ_only_after_the_72nd_byte(self, settings: Any, hasher: str) -> None:
        settings.PASSWORD_HASHERS = [hasher]
        stored = hashing.hashed("é" * 36 + "a")

        assert hashing.check("é" * 36 + "a", stored)[0]
        assert not hashing.check("é" * 36 + "b", stored)[0]
        assert not hashing.check("é" * 36, stored)[0]

    @pytest.mark.checklist(19)
    @pytest.mark.parametrize(
        "other", [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.replace(" ", "\u00a0")]
    )
    def test_takes_a_password_exactly_as_it_was_sent(self, client: Any, ada: User, other: str) -> None:
        assert sent(client, ADA, other).status_code == 401
        assert sent(client, ADA, PASSWORD).status_code == 200


def sent(client: Any, email: str, password: str, **others: str) -> Any:
    body = {"email": email, "password": password, **others}
    return client.post(TOKEN, body, content_type="application/json")


class TestRefusals:
    @pytest.mark.checklist(21)
    def test_are_one_answer_for_one_cost_whatever_was_wrong(
        self, client: Any, ada: User, checks: Counter[str], django_assert_num_queries: Any
    ) -> None:
        UserFactory(email="inactive@example.org", is_active=False, password=hashing.hashed(PASSWORD))
        UserFactory(email="hashless@example.org", password="!")
        UserFactory(email="strange@example.org", password="sha0$of$another$product")
        UserFactory(email="locked@example.org", password=hashing.hashed(PASSWORD))
        User.objects.filter(pk=ada.pk).update(password=hashing.hashed(PASSWORD))
        lock("locked@example.org")
        lock("locked-nobody@example.org")
        cases = {
            **dict.fromkeys(("inactive@example.org", "hashless@example.org", "strange@example.org"), PASSWORD),
            **dict.fromkeys(("locked@example.org", "locked-nobody@example.org", NOBODY), PASSWORD),
            ADA: WRONG,
        }
        answers = set()

        for email, password in cases.items():
            checks.clear()
            with django_assert_num_queries(3):
                answer = sent(client, email, password)
            body = answer.json()
            answers.add((answer.status_code, body["code"], body["detail"], tuple(sorted(set(answer.headers)))))
            assert (checks.total(), checks["made"]) == (1, 0), email

        assert len(answers) == 1
        assert next(iter(answers))[:2] == (401, "invalid_credentials")
        assert not Session.objects.exists()

    @pytest.mark.checklist(21)
    def test_of_the_administration_pages_cost_the_same(self, client: Any, ada: User, checks: Counter[str]) -> None:
        User.objects.filter(pk=ada.pk).update(password=hashing.hashed(PASSWORD), is_staff=True)
        attempt(NOBODY)
        for name, password in ((ADA, WRONG), (NOBODY, WRONG)):
            checks.clear()
            page = client.post("/admin/login/", {"username": name, "password": password})
            assert page.status_code == 200
            assert checks.total() == 1

        assert client.post("/admin/login/", {"username": ADA, "password": PASSWORD}).status_code == 302


class TestGuessing:
    @pytest.mark.checklist(22)
    @pytest.mark.django_db(transaction=True)
    def test_sixty_guesses_at_once_are_five(self, ada: User, checks: Counter[str]) -> None:
        stored = hashing.hashed(PASSWORD)
        User.objects.filter(pk=ada.pk).update(password=stored)

        now = timezone.now()  # one moment, whenever each thread is let run
        outcomes = at_once(*[lambda: attempt(at=now)] * 60)

        assert outcomes == [None] * 60
        assert checks[stored] == FREE
        assert GuessCount.objects.get().guesses == FREE

    @pytest.mark.checklist(22)
    def test_needs_no_redis_to_be_counted(self, ada: User, settings: Any, checks: Counter[str]) -> None:
        settings.REDIS_STATE_URL = "redis://127.0.0.1:1/0"
        User.objects.filter(pk=ada.pk).update(password=(stored := hashing.hashed(PASSWORD)))

        for _ in range(20):
            attempt()

        assert checks[stored] == FREE

    def test_has_to_wait_ever_longer(self, ada: User) -> None:
        now = timezone.now()
        lock(at=now)
        waits = []

        for _ in range(14):
            until = GuessCount.objects.get().locked_until
            waits.append((until - now) // timedelta(minutes=1))
            assert attempt(password=PASSWORD, at=until - timedelta(seconds=1)) is None
            now = until
            attempt(at=now)

        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 2048, 2048]
        assert attempt(password=PASSWORD, at=GuessCount.objects.get().locked_until) is not None

    def test_right_begins_anew(self, ada: User) -> None:
        for _ in range(3):
            for _ in range(FREE - 1):
                attempt()
            assert attempt(password=PASSWORD) is not None

        assert not GuessCount.objects.exists()

    def test_at_the_addresses_of_others_locks_nobody_else(self, ada: User) -> None:
        lock(NOBODY)

        assert attempt(password=PASSWORD) is not None

    def test_is_counted_for_the_account_however_its_address_is_written(self, ada: User) -> None:
        for written in (ADA, ADA.upper(), f" {ADA} ", ADA.title(), ADA):
            attempt(written)

        assert attempt(password=PASSWORD) is None

    def test_at_the_api_and_at_the_administration_pages_is_counted_together(self, client: Any, ada: User) -> None:
        for _ in range(FREE):
            client.post("/admin/login/", {"username": ADA, "password": WRONG})

        assert sent(client, ADA, PASSWORD).status_code == 401

    def test_keeps_nothing_that_was_typed(self, ada: User) -> None:
        attempt("a password typed as an address")

        assert len(bytes(GuessCount.objects.get().subject)) == 32

    def test_of_long_ago_is_forgotten(self, ada: User) -> None:
        now = timezone.now()
        lock(at=now - FORGOTTEN_AFTER - timedelta(hours=1))
        lock(NOBODY, at=now - timedelta(hours=1))

        call_command("purge_guess_counts")
        tasks.purge_guess_counts()

        assert GuessCount.objects.count() == 1
        assert attempt(password=PASSWORD) is not None

    def test_begins_anew_after_a_long_time_even_before_it_is_purged(self, ada: User) -> None:
        lock(at=timezone.now() - FORGOTTEN_AFTER - timedelta(days=2))

        attempt()

        assert GuessCount.objects.get().guesses == 1


class TestLocks:
    @pytest.fixture(autouse=True)
    def own_limits(self, settings: Any) -> Iterator[None]:
        settings.RATE_LIMIT_PREFIX = f"test-{uuid4()}"
        yield
        with Redis.from_url(settings.REDIS_STATE_URL) as redis:
            for key in redis.scan_iter(f"{settings.RATE_LIMIT_PREFIX}:*"):
                redis.delete(key)

    @pytest.mark.checklist(94, 95)
    def test_are_announced_and_put_on_record_once(self, ada: User) -> None:
        for _ in range(FREE + 3):
            attempt()

        [event] = OutboxEvent.objects.filter(name="accounts.login.locked")
        assert event.payload["user_id"] == str(ada.pk)
        assert AuditEvent.objects.get(action="login.locked").subject_id == str(ada.pk)
        assert AuditEvent.objects.filter(action="login.failed").count() == FREE + 3

    @pytest.mark.checklist(95)
    def test_of_many_accounts_are_announced_as_what_they_are_once(self) -> None:
        for number in range(MANY_LOCKED + 5):
            lock(f"victim{number}@example.org")

        [event] = OutboxEvent.objects.filter(name="accounts.login.lockouts_piled_up")
        assert event.payload["locked"] == MANY_LOCKED

    def test_are_found_by_an_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

        assert "accounts_guesscount_locked" in GuessCount.objects.locked(timezone.now()).explain()


class TestKnownDevices:
    @pytest.mark.checklist(23)
    def test_log_in_while_others_guess(self, client: Any, ada: User) -> None:
        device = sent(client, ADA, PASSWORD).json()["data"]["device"]
        for _ in range(30):
            sent(client, ADA, WRONG)

        assert sent(client, ADA, PASSWORD).status_code == 401
        assert sent(client, ADA, PASSWORD, device=device).status_code == 200

    @pytest.mark.checklist(23)
    def test_are_known_again_after_every_log_in(self, client: Any, ada: User) -> None:
        device = sent(client, ADA, PASSWORD).json()["data"]["device"]
        again = sent(client, ADA, PASSWORD, device=device).json()["data"]["device"]

        now = timezone.now()
        names = {devices.device_of(token, ada.pk, at=now) for token in (device, again)}
        assert len(names) == 1
        assert None not in names

    @pytest.mark.checklist(22, 23)
    def test_may_not_guess_without_end(self, ada: User) -> None:
        device = devices.token_of(ada.pk, at=timezone.now())
        for _ in range(FREE):
            attempt(device=device)

        assert attempt(password=PASSWORD, device=device) is None
        assert attempt(password=PASSWORD) is not None

    @pytest.mark.checklist(22, 23)
    @pytest.mark.parametrize("fault", ["another's", "made up", "changed", "too old", "text"])
    def test_are_those_alone_that_the_owner_logged_in_on(self, ada: User, fault: str) -> None:
        now = timezone.now()
        good = devices.token_of(ada.pk, at=now)
        raw = bytearray(base64.urlsafe_b64decode(good + "=="))
        raw[20] ^= 1
        token = {
            "another's": devices.token_of(UserFactory().pk, at=now),
            "made up": base64.urlsafe_b64encode(ada.pk.bytes + b"x" * 37).decode().rstrip("="),
            "changed": base64.urlsafe_b64encode(raw).decode().rstrip("="),
            "too old": devices.token_of(ada.pk, at=now - devices.KNOWN_FOR - timedelta(seconds=2)),
            "text": "Ünglaublich",
        }[fault]
        lock()

        assert attempt(password=PASSWORD, device=good) is not None
        assert attempt(password=PASSWORD, device=token) is None


@contextmanager
def slow_server() -> Iterator[int]:
    """Run gunicorn with one gevent worker whose hashes take seconds, on this test's database; give its port."""
    port, at = free_port(), connection.get_connection_params()
    url = f"postgres://{at['user']}:{at.get('password', '')}@{at['host']}:{at['port']}/{at['dbname']}"
    variables = {
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
        "DJANGO_SETTINGS_MODULE": "tests.accounts.slow_hashing",
        "DATABASE_URL": url,
        "DATABASE_DIRECT_URL": url,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "campushub360/gunicorn.py"],
        cwd=CHECKOUT,
        env={**os.environ, **variables},
    )
    try:
        assert eventually(lambda: server.poll() is None and _is_up(port), seconds=60)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=60)


def _is_up(port: int) -> bool:
    try:
        return ask(port, "GET", "/livez") == 200
    except OSError:
        return False


def ask(port: int, method: str, path: str, body: Any = None) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as server:
        server.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        return server.getresponse().status


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_other_requests_are_answered_while_passwords_are_hashed() -> None:
    finished: list[str] = []

    def log_in(number: int) -> None:
        assert ask(port, "POST", TOKEN, {"email": f"nobody{number}@example.org", "password": WRONG}) == 401
        finished.append("log-in")

    with slow_server() as port:
        threads = [threading.Thread(target=log_in, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: GuessCount.objects.count() == 4, seconds=60)
        for _ in range(10):
            assert ask(port, "GET", "/livez") == 200
            finished.append("probe")
        for thread in threads:
            thread.join()

    assert finished == ["probe"] * 10 + ["log-in"] * 4
