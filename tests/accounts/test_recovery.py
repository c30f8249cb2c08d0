"""Getting back into an account by its mailbox: what it tells, how often it works and what it ends."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg import sql

from accounts import services, tasks
from accounts.mailing import MailNotSentError
from accounts.models import AccountMail, GuessCount, Session, User
from accounts.services.attempts import STRANGER
from accounts.services.guesses import FREE
from accounts.services.mails import KEPT, LINK_LIFETIME, LINK_PATIENCE, LINKS_OF_ACCOUNT, NOTICE_PATIENCE
from audit.models import Event as AuditEvent
from core.ids import new_id
from core.security.limiter import Limit
from tests.accounts.factories import PersonFactory, UserFactory
from tests.accounts.mail_server import mail_server
from tests.accounts.mails import last_secret, secret_of, send_wanted
from tests.interop.test_worker import process
from tests.local.conftest import eventually, free_port
from tests.racing import at_once

pytestmark = pytest.mark.django_db
RESET, CONFIRM, TOKEN = (f"/api/v1/auth/{name}/" for name in ("password/reset", "password/reset/confirm", "token"))
PASSWORD, BETTER = "correct horse battery staple", "wrong donkey charger paperclip"
ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def own_limits(settings: Any) -> None:
    """Let no test count what another one has tried."""
    settings.RATE_LIMIT_PREFIX = f"test-{new_id()}"


@pytest.fixture
def ada() -> User:
    return services.create_user(by=None, email=ADA, password=PASSWORD, person=PersonFactory(first_name="Augusta"))


@pytest.fixture
def client(client_for: Callable[..., Any]) -> Any:
    return client_for(None)


def asked(client: Any, email: str = ADA, **headers: str) -> Any:
    return client.post(RESET, {"email": email}, **headers)


def secret_for(client: Any, email: str = ADA) -> str:
    """Ask for a link, have it sent and return its secret."""
    asked(client, email)
    assert email in send_wanted()
    return last_secret()


def confirmed(client: Any, token: str, password: str = BETTER) -> Any:
    return client.post(CONFIRM, {"token": token, "new_password": password})


def refusal(answer: Any) -> tuple[int, str, str]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error["field"]


def close_and_open(user: User) -> None:
    for is_active in (False, True):
        services.update_user(user, by=None, is_active=is_active)


def supersede(user: User) -> None:
    services.request_password_reset(email=user.email, at=timezone.now())
    send_wanted()


def change_password(user: User) -> None:
    services.change_password(user, current_password=PASSWORD, new_password=BETTER, at=timezone.now())


# What happens to an account with a link open, after which the link is none.
ENDS: dict[str, Callable[[User], Any]] = {
    "another link": supersede,
    "an hour": lambda user: user.mails.update(expires_at=timezone.now()),
    "another password": change_password,
    "another address": lambda user: services.update_user(user, by=None, email="ada.king@example.org"),
    "closing": lambda user: services.update_user(user, by=None, is_active=False),
    "closing and opening": close_and_open,
}


class TestAsking:
    @pytest.mark.checklist(27)
    def test_is_answered_alike_whatever_the_address_is(self, ada: User, client: Any) -> None:
        UserFactory(email="closed@example.org", is_active=False)
        UserFactory(email="unset@example.org")
        services.create_user(by=None, email="locked@example.org", password=PASSWORD)
        for _ in range(FREE):
            client.post(TOKEN, {"email": "locked@example.org", "password": "wrong"})
        addresses = [ADA, "nobody@example.org", "closed@example.org", "locked@example.org", "unset@example.org", "x"]

        told, done = [], []
        for address in addresses:
            with CaptureQueriesContext(connection) as queries:
                answer = asked(client, address)
            told.append((answer.status_code, {**answer.json(), "timestamp": ""}, sorted(answer.headers)))
            done.append([re.sub(r".*, true\); |\d", "", query["sql"])[:40] for query in queries])

        assert told == [told[0]] * len(addresses)
        assert told[0][0] == 202
        assert done == [done[0]] * len(addresses)
        assert sorted(send_wanted()) == [ADA, "locked@example.org", "unset@example.org"]

    @pytest.mark.checklist(27)
    @pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_HOST", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_REFERER"])
    def test_mails_a_link_that_no_request_can_lead_elsewhere(
        self, ada: User, client: Any, settings: Any, header: str
    ) -> None:
        settings.PUBLIC_URL = "https://campus.example.edu"

        answer = asked(client, **{header: "evil.example"})

        assert answer.status_code == (400 if header == "HTTP_HOST" else 202)
        send_wanted()
        for message in mail.outbox:
            assert re.findall(r"\w+://\S+#token=", str(message.body)) == [
                "https://campus.example.edu/password-reset#token="
            ]
            assert "evil" not in str(message.message())

    @pytest.mark.checklist(36)
    def test_leaves_the_secret_of_the_link_nowhere_but_in_the_mail(
        self, ada: User, client: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")

        secret = secret_for(client)

        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                rows = sql.SQL("SELECT count(*) FROM {} AS t WHERE t::text LIKE %s").format(sql.Identifier(table))
                cursor.execute(rows, [f"%{secret}%"])
                assert cursor.fetchone() == (0,), table
        assert secret not in caplog.text
        assert len(bytes(AccountMail.objects.get(token_hash__isnull=False).token_hash or b"")) == 32

    @pytest.mark.checklist(27, 81)
    def test_floods_no_mailbox(self, ada: User, client: Any) -> None:
        secrets = set()
        for _ in range(LINKS_OF_ACCOUNT.burst + 3):
            assert asked(client).status_code == 202
            secrets |= {last_secret()} if send_wanted() else set()

        assert len(mail.outbox) == len(secrets) == LINKS_OF_ACCOUNT.burst
        assert send_wanted() == []

    @pytest.mark.checklist(27, 94)
    def test_for_addresses_without_an_account_leaves_a_few_lines_however_often(self, ada: User, client: Any) -> None:
        for number in range(STRANGER.burst + 9):
            assert asked(client, f"nobody{number}@example.org").status_code == 202
        asked(client)

        lines = AuditEvent.objects.filter(action="password_reset.requested")
        assert lines.count() == STRANGER.burst + 1
        assert lines.filter(subject_id=str(ada.pk)).exists()

    def test_is_counted_for_the_address_on_the_network(self, client: Any, settings: Any) -> None:
        settings.RATE_LIMIT_PREFIX = f"test-{new_id()}"
        settings.RATE_LIMITS = {"token": Limit("token", quota=2, seconds=600, burst=2, outage=2)}

        assert [asked(client, f"{name}@example.org").status_code for name in "abc"] == [202, 202, 429]


class TestSetting:
    @pytest.mark.checklist(27, 35)
    def test_opens_the_account_to_its_owner_alone(self, ada: User, client: Any, client_for: Any) -> None:
        elsewhere = client_for(ada)
        User.objects.filter(pk=ada.pk).update(must_change_password=True)
        for _ in range(FREE):
            client.post(TOKEN, {"email": ADA, "password": "wrong"})
        secret = secret_for(client)

        answer = confirmed(client, secret)

        assert (answer.status_code, answer.content) == (204, b"")
        ada.refresh_from_db()
        assert check_password(BETTER, ada.password)
        assert (ada.must_change_password, ada.token_version) == (False, 2)
        assert not Session.objects.filter(revoked_at=None).exists()
        assert elsewhere.get("/api/v1/auth/me/").status_code == 401
        assert not GuessCount.objects.exists()
        assert client.post(TOKEN, {"email": ADA, "password": PASSWORD}).status_code == 401
        assert client.post(TOKEN, {"email": ADA, "password": BETTER}).status_code == 200
        assert AuditEvent.objects.filter(action="password.reset", subject_id=str(ada.pk)).exists()
        assert refusal(confirmed(client, secret)) == (400, "link_not_good", "token")

    def test_is_told_to_the_owner(self, ada: User, client: Any) -> None:
        confirmed(client, secret_for(client))

        assert send_wanted() == [ADA]
        assert mail.outbox[-1].subject == "Your password was changed (CampusHub360)"
        assert "token" not in mail.outbox[-1].body

    @pytest.mark.parametrize(
        "change", [change_password, lambda user: services.update_user(user, by=None, password=BETTER)]
    )
    def test_is_told_to_the_owner_as_every_other_change(self, ada: User, change: Callable[[User], Any]) -> None:
        change(ada)

        assert send_wanted() == [ADA]

    @pytest.mark.checklist(27)
    def test_takes_no_link_that_never_was_one(self, client: Any) -> None:
        answers = [refusal(confirmed(client, token)) for token in ("x", "ü" * 43, "A" * 43)]

        assert answers == [(400, "link_not_good", "token")] * 3

    @pytest.mark.checklist(27)
    @pytest.mark.parametrize("end", ENDS)
    def test_takes_no_link_that_has_had_its_time(self, ada: User, client: Any, end: str) -> None:
        secret = secret_for(client)
        ENDS[end](ada)
        stored = User.objects.get().password

        assert refusal(confirmed(client, secret)) == (400, "link_not_good", "token")
        assert User.objects.get().password == stored

    def test_sends_no_link_once_the_account_has_changed(self, ada: User, client: Any) -> None:
        asked(client)
        services.update_user(ada, by=None, is_active=False)

        assert send_wanted() == []

    def test_follows_the_rules_and_leaves_the_link_good(self, ada: User, client: Any) -> None:
        secret = secret_for(client)

        refused = [refusal(confirmed(client, secret, password)) for password in ("short", "ada@example.org Augusta")]

        assert refused == [(400, "password_too_short", "new_password"), (400, "password_too_personal", "new_password")]
        assert confirmed(client, secret).status_code == 204

    @pytest.mark.checklist(27)
    @pytest.mark.django_db(transaction=True)
    def test_happens_once_however_many_come_at_once(self, ada: User, client: Any) -> None:
        secret = secret_for(client)

        outcomes = at_once(
            *[
                lambda number=number: services.reset_password(
                    token=secret, new_password=f"{BETTER} {number}", at=timezone.now()
                )
                for number in range(4)
            ]
        )

        assert sorted(map(str, outcomes)) == ["None", "link_not_good", "link_not_good", "link_not_good"]
        assert User.objects.get().token_version == 2


class TestMails:
    def test_are_tried_again_while_the_server_is_away_and_given_up_in_the_end(
        self, ada: User, client: Any, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
        asked(client)
        wanted = AccountMail.objects.get()

        for _ in range(LINKS_OF_ACCOUNT.burst + 1):
            with pytest.raises(MailNotSentError):
                services.send_mail(wanted.pk, at=timezone.now())
        with mail_server(settings.EMAIL_PORT) as server:
            services.send_mail(wanted.pk, at=timezone.now())
            services.send_mail(wanted.pk, at=timezone.now())
        services.request_password_reset(email=ADA, at=timezone.now() - LINK_PATIENCE - timedelta(seconds=1))
        send_wanted()

        assert [recipients for recipients, _ in server.mails] == [[ADA]]
        assert "mail.given_up" in caplog.text
        assert MailNotSentError in tasks.send_mail.autoretry_for
        assert tasks.send_mail.retry_backoff_max <= settings.CELERY_TASK_TIME_LIMIT
        assert LINK_PATIENCE <= LINK_LIFETIME < NOTICE_PATIENCE < KEPT

    @pytest.mark.checklist(61)
    def test_gain_no_header_by_what_anybody_wrote(self, client: Any, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.INSTITUTION_NAME = "Elsewhere\r\nBcc: evil@example.org\r\n\r\nBuy!"
        person = PersonFactory(first_name="A\r\nBcc: evil@example.org", last_name="B\nBcc: evil@example.org")
        for address in (ADA, "b@example.org\r\nBcc: evil@example.org", "c@example.org\nRCPT TO:<evil@example.org>"):
            UserFactory(email=address, person=person if address == ADA else None)
            asked(client, address)
        with mail_server() as server:
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
            send_wanted()

        [(recipients, message)] = server.mails
        head = message.split(b"\r\n\r\n")[0]
        assert recipients == [ADA]
        assert re.findall(rb"^([\w-]+):", head, re.MULTILINE) == [
            b"Content-Type", b"MIME-Version", b"Content-Transfer-Encoding", b"Subject", b"From", b"To", b"Date",
            b"Message-ID", b"Auto-Submitted",
        ]  # fmt: skip

    @pytest.mark.checklist(62)
    def test_show_what_they_are_given_and_run_none_of_it(self, ada: User, client: Any, settings: Any) -> None:
        settings.INSTITUTION_NAME = "{{ link }} {% include 'x' %} <b>Arts & Crafts</b>"

        secret_for(client)

        assert f"account at {settings.INSTITUTION_NAME}." in mail.outbox[0].body
        assert mail.outbox[0].content_subtype == "plain"

    @pytest.mark.slow
    @pytest.mark.django_db(transaction=True)
    def test_go_by_a_relay_and_a_worker_of_their_own_when_the_server_comes_back(
        self, ada: User, client: Any, settings: Any
    ) -> None:
        settings.DATABASE_DIRECT_URL = ""
        port = free_port()
        variables = {
            "TEST_BROKER": settings.REDIS_URL,
            "TEST_QUEUE": f"mails-{new_id()}",
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "PUBLIC_URL": "https://campus.example.edu",
        }
        with process("relay", **variables), process("worker", **variables):
            assert asked(client).status_code == 202
            # It was tried, and nobody was there.
            assert eventually(lambda: AccountMail.objects.live(timezone.now()).exists(), seconds=60)
            with mail_server(port) as server:
                assert eventually(lambda: AccountMail.objects.filter(sent_at__isnull=False).exists(), seconds=60)
        [(recipients, message)] = server.mails

        assert recipients == [ADA]
        assert confirmed(client, secret_of(message.decode().replace("\r\n", "\n"))).status_code == 204

    def test_are_forgotten_after_a_week(self, ada: User) -> None:
        for days in (KEPT.days - 1, KEPT.days + 1):
            services.request_password_reset(email=ADA, at=timezone.now() - timedelta(days=days))

        call_command("purge_account_mails")

        assert AccountMail.objects.count() == 1
