"""Log-ins that ended long ago are forgotten; the others stay."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as AdminSession
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import services, tasks
from accounts.models import Session
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def thirty_days_are_kept(settings: Any) -> None:
    settings.ENDED_SESSIONS_KEPT = 30 * DAY


def session(*, expires_at: datetime, revoked_at: datetime | None = None) -> Session:
    return Session.objects.create(
        user=UserFactory(),
        current_refresh_hash=secrets.token_bytes(32),
        rotated_at=expires_at - 14 * DAY,
        expires_at=expires_at,
        absolute_expires_at=expires_at + 60 * DAY,
        revoked_at=revoked_at,
    )


def test_what_ended_long_ago_goes_and_what_ended_lately_or_lives_stays() -> None:
    now = timezone.now()
    session(expires_at=now - 31 * DAY)
    session(expires_at=now + DAY, revoked_at=now - 31 * DAY)
    session(expires_at=now - 40 * DAY, revoked_at=now - DAY)
    kept = [
        session(expires_at=now - 29 * DAY),
        session(expires_at=now + DAY, revoked_at=now - 29 * DAY),
        session(expires_at=now + DAY),
    ]

    purged = services.purge_sessions(at=now, batch=1)

    assert purged == 3
    assert set(Session.objects.all()) == set(kept)


def test_a_refresh_token_is_refused_before_and_after_its_session_is_forgotten(client: Any) -> None:
    account = {"email": "ada@example.org", "password": "correct horse battery staple"}
    services.create_user(by=None, **account)
    pair = client.post("/api/v1/auth/token/", account, content_type="application/json").json()["data"]
    Session.objects.update(expires_at=timezone.now() - 31 * DAY)

    def answer() -> tuple[int, str]:
        given = {"refresh": pair["refresh"]}
        response = client.post("/api/v1/auth/token/refresh/", given, content_type="application/json")
        return response.status_code, response.json()["code"]

    before = answer()
    assert services.purge_sessions(at=timezone.now()) == 1

    assert before == answer() == (401, "invalid_refresh_token")


def test_they_are_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "accounts_session_ended" in Session.objects.ended_before(timezone.now()).order_by("ended_at").explain()


def test_the_command_and_the_task_do_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    session(expires_at=now - 31 * DAY)
    call_command("purge_sessions")
    assert capsys.readouterr().out == "1 sessions purged.\n"

    session(expires_at=now - 31 * DAY)
    tasks.purge_sessions()

    assert not Session.objects.exists()


def test_expired_sessions_of_the_administration_go() -> None:
    now = timezone.now()
    for name, expires in (("old", now - DAY), ("young", now + DAY)):
        AdminSession.objects.create(session_key=name, session_data="", expire_date=expires)

    call_command("purge_admin_sessions")
    tasks.purge_admin_sessions()

    assert [row.session_key for row in AdminSession.objects.all()] == ["young"]
