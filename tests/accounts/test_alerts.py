"""What is worth an alert, to whom it is told, and that it is said once."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services, tasks
from accounts.models import User
from accounts.services.sessions import REUSE_GRACE
from audit.models import Disclosure, Event
from core.ids import new_id
from core.models import Chore, OutboxEvent
from core.relay import Relay
from tests.accounts.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(95)]
PASSWORD = "correct horse battery staple"
HOUR = timedelta(hours=1)
# At noon in the zone of the tests.
NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)

# One every twenty seconds for two weeks, all in the partition of one month: on its first day there would be few.
LATEST = NOON.replace(day=28)
DISCLOSURES = """
    INSERT INTO audit_disclosure (at, what, subject_id, basis)
    SELECT %s - (60000 - n) * interval '20 seconds', 'record', gen_random_uuid(), 'b'
    FROM generate_series(1, 60000) AS n
"""


@pytest.fixture(autouse=True)
def thresholds(settings: Any) -> Any:
    settings.ALERT_DISCLOSED, settings.ALERT_DISCLOSED_OFF_HOURS = 5, 3
    settings.ALERT_LOCKED, settings.ALERT_FAILED, settings.ALERT_FAILED_ADDRESSES = 3, 6, 2
    return settings


def show(to: UUID, people: int, *, at: datetime, times: int = 1) -> None:
    """Put on record that the records of people were shown to an account."""
    for person in [new_id() for _ in range(people)] * times:
        Disclosure.objects.create(what="record", subject_id=person, actor_id=to, basis="b", at=at)


def alerts() -> list[tuple[str, str, dict[str, Any]]]:
    found = Event.objects.filter(action__startswith="alert.").order_by("pk")
    return [(each.action, each.subject_id, each.detail) for each in found]


@pytest.mark.django_db(transaction=True)
def test_a_refresh_token_that_comes_back_is_one_at_once(caplog: pytest.LogCaptureFixture) -> None:
    user = services.create_user(by=None, email="ada@example.org", password=PASSWORD)
    now = timezone.now()
    for _ in range(2):
        first = services.log_in(email=user.email, password=PASSWORD, at=now).refresh
        services.refresh_session(refresh=first, at=now)
        with pytest.raises(services.InvalidRefreshError):
            services.refresh_session(refresh=first, at=now + 2 * REUSE_GRACE)

    Relay().drain()

    [(action, about, detail)] = alerts()
    assert (action, about) == ("alert.session_reused", str(user.pk))
    assert UUID(detail["family"])
    assert [record.message for record in caplog.records if record.message.startswith("alert.")] == [action]
    assert not OutboxEvent.objects.pending().exists()


def test_many_people_shown_to_one_account_are_one_once() -> None:
    reader, returning, modest = UserFactory.create_batch(3)
    for at in (NOON - timedelta(minutes=40), NOON - timedelta(minutes=5)):
        show(reader.pk, 3, at=at)
    show(returning.pk, 1, at=NOON, times=9)
    show(modest.pk, 4, at=NOON)

    assert [services.raise_alerts(at=NOON + timedelta(minutes=after)) for after in (0, 10)] == [1, 0]
    show(reader.pk, 5, at=NOON + 2 * HOUR)
    services.raise_alerts(at=NOON + 2 * HOUR)

    assert alerts() == [
        ("alert.mass_disclosure", str(reader.pk), {"people": 6}),
        ("alert.mass_disclosure", str(reader.pk), {"people": 5}),
    ]
    assert Event.objects.filter(action="alert.mass_disclosure")[0].subject_kind == "accounts.user"


def test_fewer_are_enough_at_night_where_the_institution_is(settings: Any) -> None:
    reader = UserFactory()
    night = NOON.replace(hour=20)
    show(reader.pk, 3, at=night)

    assert services.raise_alerts(at=night) == 0
    settings.TIME_ZONE = "Asia/Kolkata"
    assert services.raise_alerts(at=night) == 1

    assert alerts() == [("alert.off_hours_disclosure", str(reader.pk), {"people": 3})]


def test_what_happened_while_nobody_looked_is_found_a_day_back() -> None:
    late, older = UserFactory.create_batch(2)
    show(late.pk, 5, at=NOON - 4 * HOUR)
    show(older.pk, 5, at=NOON - 26 * HOUR)

    assert services.raise_alerts(at=NOON) == 0
    Chore.objects.create(name="raise_alerts", started_at=NOON, succeeded_at=NOON - 40 * HOUR)
    services.raise_alerts(at=NOON)

    assert [about for _, about, _ in alerts()] == [str(late.pk)]


def test_storms_of_lockouts_and_of_failures_from_many_places_are_two() -> None:
    def fail(action: str, number: int, address: str) -> None:
        Event.objects.create(action=action, subject_id=str(number), address=address, at=NOON)

    for number in range(6):
        fail("login.failed", number, "192.0.2.1")
        fail("login.locked", number % 2, "192.0.2.1")
    assert services.raise_alerts(at=NOON) == 0

    fail("login.failed", 7, "192.0.2.2")
    fail("login.locked", 7, "192.0.2.1")
    assert [services.raise_alerts(at=NOON) for _ in range(2)] == [2, 0]

    counts = {"locked": 3, "failed": 7, "addresses": 2}
    assert alerts() == [("alert.lockout_storm", "login", counts), ("alert.login_storm", "login", counts)]


def test_a_threshold_of_nothing_is_none(settings: Any) -> None:
    settings.ALERT_DISCLOSED = settings.ALERT_DISCLOSED_OFF_HOURS = settings.ALERT_LOCKED = settings.ALERT_FAILED = 0
    show(UserFactory().pk, 9, at=NOON.replace(hour=23))

    assert services.raise_alerts(at=NOON.replace(hour=23)) == 0


def test_an_alert_is_mailed_by_name_and_number_alone(settings: Any) -> None:
    reader: User = UserFactory()
    show(reader.pk, 5, at=NOON)
    services.raise_alerts(at=NOON)
    alert = Event.objects.get(action="alert.mass_disclosure")

    tasks.mail_alert(alert.pk)
    settings.ALERT_RECIPIENTS = ["security@example.org", "registrar@example.org"]
    tasks.mail_alert(alert.pk)

    [message] = mail.outbox
    assert message.to == settings.ALERT_RECIPIENTS
    assert message.subject == "alert.mass_disclosure (CampusHub360)"
    assert f"Entry {alert.pk} of the events" in message.body
    assert str(reader.pk) not in message.body
    assert OutboxEvent.objects.filter(name="audit.alert.raised", payload={"alert_id": alert.pk}).exists()


def test_the_command_asks_little(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.ALERT_DISCLOSED_OFF_HOURS = 0
    show(UserFactory().pk, 5, at=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        call_command("raise_alerts")

    # The chore's own two, the last look, two questions, and an alert with its lock, event and announcement.
    assert len(queries) <= 16
    assert capsys.readouterr().out == "1 alerts raised.\n"


def test_the_last_hour_is_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute(DISCLOSURES, [LATEST])
        cursor.execute("ANALYZE audit_disclosure")
    lately = Disclosure.objects.filter(at__gt=LATEST - HOUR)

    assert re.search(r"Index Scan on audit_disclosure_\w+_at(_idx)?\b", lately.explain())
