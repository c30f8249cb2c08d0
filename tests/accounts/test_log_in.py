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
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, PBKDF2PasswordHasher, identify_hasher
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import devices, hash_kinds, hashing, services, tasks
from accounts.hash_kinds import ASKED_EVERY_SECONDS, HashKinds, Kind, kind_of, kinds_in_use
from accounts.hashers import Argon2idHasher
from accounts.models import GuessCount, Session, User
from accounts.services import attempts
from accounts.services.attempts import STRANGER
from accounts.services.guesses import FORGOTTEN_AFTER, FREE, MANY_LOCKED
from audit.models import Event as AuditEvent
from campushub360.local import CHECKOUT
from core.models import OutboxEvent
from core.security.limiter import Limit
from tests.accounts.factories import UserFactory
from tests.local.conftest import eventually, free_port
from tests.racing import at_once

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/auth/token/"
PASSWORD, WRONG = "correct horse battery staple", "incorrect horse battery staple"
ADA, NOBODY = "ada@example.org", "nobody@example.org"
REAL_HASHERS = project.PASSWORD_HASHERS[1:]
FAST = "django.contrib.auth.hashers.MD5PasswordHasher"


@pytest.fixture(autouse=True)
def own_limits(settings: Any) -> None:
    """Let no test count what another one has tried."""
    settings.RATE_LIMIT_PREFIX = f"test-{uuid4()}"


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


class TestOlderHashes:
    @pytest.fixture
    def work(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Counter[Kind | None]:
        """Count every computation of a hash to compare one with, by the kind of that."""
        settings.PASSWORD_HASHERS = REAL_HASHERS
        for name, value in (("memory_cost", 64), ("time_cost", 1)):
            monkeypatch.setattr(Argon2idHasher, name, value)
        monkeypatch.setattr(BCryptSHA256PasswordHasher, "rounds", 4)
        monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 10)
        counted: Counter[Kind | None] = Counter()
        for hasher in (Argon2idHasher, BCryptSHA256PasswordHasher, PBKDF2PasswordHasher):
            counting(hasher, counted, monkeypatch)
        return counted

    @pytest.fixture
    def accounts(self, work: Counter[Kind | None]) -> dict[str, str]:
        """Addresses with the passwords that are tried at them; each fails for another reason."""
        bcrypt_hash = BCryptSHA256PasswordHasher().encode(PASSWORD, bcrypt.gensalt(5))
        pbkdf2_hash = PBKDF2PasswordHasher().encode(PASSWORD, "somesaltofmanyletters", 20)
        for name, stored, is_active in (
            ("bcrypt", bcrypt_hash, True),
            ("pbkdf2", pbkdf2_hash, True),
            ("today", hashing.hashed(PASSWORD), True),
            ("locked", bcrypt_hash, True),
            ("closed", bcrypt_hash, False),
            ("none", "!", True),
            ("broken", "bcrypt_sha256$broken", True),
            ("foreign", "sha0$of$another$product", True),
        ):
            UserFactory(email=f"{name}@example.org", password=stored, is_active=is_active)
        look_again()
        lock("locked@example.org")
        wrong = dict.fromkeys(("bcrypt@example.org", "pbkdf2@example.org", "today@example.org"), WRONG)
        others = ("locked@example.org", "closed@example.org", "none@example.org", "broken@example.org", NOBODY)
        return {**wrong, **dict.fromkeys((*others, "foreign@example.org"), PASSWORD)}

    @pytest.mark.checklist(20, 21)
    def test_cost_every_failure_the_same_work(self, work: Counter[Kind | None], accounts: dict[str, str]) -> None:
        done = {}
        for email, password in accounts.items():
            work.clear()
            assert attempt(email, password) is None
            done[email] = dict(work)

        todays = Kind("argon2", (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)))
        older = [Kind("bcrypt_sha256", (("rounds", 5),)), Kind("pbkdf2_sha256", (("iterations", 20),))]
        assert done == dict.fromkeys(accounts, dict.fromkeys([todays, *older], 1))

    @pytest.mark.checklist(20, 21)
    def test_cost_nothing_as_soon_as_no_open_account_has_one(
        self, work: Counter[Kind | None], accounts: dict[str, str]
    ) -> None:
        for name in ("bcrypt", "pbkdf2"):
            assert attempt(f"{name}@example.org", PASSWORD) is not None
            assert User.objects.get(email=f"{name}@example.org").password.startswith("argon2$")
        services.update_user(User.objects.get(email="locked@example.org"), by=None, is_active=False)
        look_again()
        work.clear()

        attempt(NOBODY)

        assert [kind.algorithm for kind in work.elements() if kind is not None] == ["argon2"]

    @pytest.mark.checklist(21)
    def test_are_known_when_they_are_met_and_asked_about_in_between(
        self, work: Counter[Kind | None], django_assert_num_queries: Any
    ) -> None:
        now = 0.0
        known = HashKinds(clock=lambda: now)
        met = Kind("bcrypt_sha256", (("rounds", 6),))
        UserFactory(password=BCryptSHA256PasswordHasher().encode(PASSWORD, bcrypt.gensalt(4)))

        with django_assert_num_queries(1):
            for _ in range(3):
                assert known.with_() == {Kind("bcrypt_sha256", (("rounds", 4),))}
                assert known.with_(met) >= {met}
                known.remember(known.with_() - {met})
        now = ASKED_EVERY_SECONDS
        with django_assert_num_queries(1):
            assert met not in known.with_()


def counting(hasher: Any, counted: Counter[Kind | None], monkeypatch: pytest.MonkeyPatch) -> None:
    verify = hasher.verify

    def counting_verify(self: Any, password: str, encoded: str) -> bool:
        counted[kind_of(encoded)] += 1
        right: bool = verify(self, password, encoded)
        return right

    monkeypatch.setattr(hasher, "verify", counting_verify)


def look_again() -> None:
    """Have it asked now which kinds are stored."""
    kinds_in_use.remember(hash_kinds._stored_kinds())


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


@pytest.mark.checklist(21, 94)
class TestFloods:
    def lines(self) -> int:
        return AuditEvent.objects.filter(action__in=["login.failed", "login.locked"]).count()

    def test_of_addresses_without_an_account_leave_a_few_lines(self, client: Any, ada: User) -> None:
        for number in range(STRANGER.burst + 9):
            sent(client, f"nobody{number}@example.org", WRONG)
        assert self.lines() == STRANGER.burst

        sent(client, ADA, WRONG)
        assert self.lines() == STRANGER.burst + 1
        assert AuditEvent.objects.filter(subject_id=str(ada.pk)).exists()

    def test_from_everywhere_together_are_bounded(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        few = Limit("attempts_of_all_strangers", quota=1, seconds=600, burst=3, outage=1)
        monkeypatch.setattr(attempts, "STRANGERS_TOGETHER", few)

        for number in range(6):
            body = {"email": f"nobody{number}@example.org", "password": WRONG}
            client.post(TOKEN, body, content_type="application/json", REMOTE_ADDR=f"192.0.2.{number}")

        assert self.lines() == 3

    def test_at_one_account_are_bounded_as_well(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attempts, "ACCOUNT", Limit("attempts_at_account", 1, 600, burst=8, outage=1))

        for _ in range(FREE + 9):
            attempt()

        assert self.lines() == 8

    def test_leave_enough_lines_to_raise_the_alarm_about_them(self) -> None:
        assert attempts.STRANGERS_TOGETHER.burst >= 500
        assert attempts.STRANGERS_TOGETHER.burst / 20 <= STRANGER.burst + 60

    def test_cost_as_many_statements_as_what_is_on_record(
        self, client: Any, ada: User, django_assert_num_queries: Any
    ) -> None:
        for number in range(STRANGER.burst + 1):
            sent(client, f"nobody{number}@example.org", WRONG)

        for email in (ADA, "nobody-new@example.org", "nobody0@example.org"):
            with django_assert_num_queries(3):
                sent(client, email, WRONG)

    def test_take_up_a_few_places_however_long_they_last(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attempts, "STRANGER", Limit("attempts_of_strangers", 1, 600, burst=1, outage=1))
        monkeypatch.setattr(attempts, "PLACES", 2)

        for _ in range(FREE + 9):
            attempt(NOBODY)

        kept = [bytes(count.subject) for count in GuessCount.objects.all()]
        assert sorted(len(subject) for subject in kept) == [12, 12, 32]
        assert attempt(password=PASSWORD) is not None


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
