"""Mails about what people were told: in time, together, again while the server is away, and never twice."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from core.ids import new_id
from core.models import Chore
from core.relay import Relay
from notifications import tasks
from notifications.models import DeliveryAttempt, Notification
from notifications.services import announce_due, mails, send_mails
from notifications.services.mails import FIRST_RETRY, LOST_AFTER, MOST_ATTEMPTS, SLOWEST_RETRY
from tests.accounts.factories import UserFactory
from tests.accounts.mail_server import mail_server
from tests.interop.test_worker import process
from tests.local.conftest import eventually
from tests.notifications.factories import DeliveryAttemptFactory, PreferenceFactory, QuietHoursFactory
from tests.notifications.telling import tell
from tests.racing import at_once

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def states():
    return sorted(DeliveryAttempt.objects.values_list("state", "attempts", "last_error"))


def test_a_mail_says_what_one_was_told(ada, settings):
    settings.PUBLIC_URL, settings.INSTITUTION_NAME = "https://campus.example.edu", "Arts & Crafts"
    tell(ada, title="Holiday <b>", text="No classes & no exams.", link="/news/1", at=NOW)

    assert send_mails(ada.pk, at=NOW) == 1

    [message] = mail.outbox
    assert (message.to, message.subject) == (["ada@example.org"], "Holiday <b> (Arts & Crafts)")
    assert "Holiday <b>\n\nNo classes & no exams.\n\nhttps://campus.example.edu/news/1\n" in message.body
    assert message.content_subtype == "plain"
    assert DeliveryAttempt.objects.get().sent_at is not None
    assert states() == [("sent", 1, "")]


@pytest.mark.checklist(61, 62)
def test_a_mail_says_the_same_as_a_page_in_which_nothing_is_markup(ada, settings, port):
    settings.PUBLIC_URL, settings.INSTITUTION_NAME = "https://campus.example.edu", "Arts & Crafts"
    hostile = "</p><script src=//evil.example></script>{{ site }}{% now %}\r\nBcc: eve@evil.example"
    tell(ada, title="Holiday <b>", text=hostile, link="/news/1?a=1&b=2", at=NOW)
    with mail_server(port) as server:
        assert send_mails(ada.pk, at=NOW) == 1

    [(recipients, sent)] = server.mails
    message = message_from_bytes(sent, policy=policy.default)
    plain, page = (part.get_content() for part in message.iter_parts())
    assert recipients == ["ada@example.org"]
    assert message.get_content_type() == "multipart/alternative"
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "https://campus.example.edu/news/1?a=1&b=2" in plain
    assert "Holiday &lt;b&gt;" in page
    assert "&lt;script src=//evil.example&gt;&lt;/script&gt;{{ site }}{% now %}" in page
    assert 'href="https://campus.example.edu/news/1?a=1&amp;b=2"' in page
    assert "Arts &amp; Crafts" in page
    assert ">News<" in page
    assert not re.search(r"<(script|img|link|iframe|object)|src=[\"']", page)


def test_what_is_due_to_somebody_goes_in_one_mail_and_to_nobody_else(ada):
    for number in range(3):
        tell(ada, UserFactory(), title=f"News {number}", at=NOW)
    DeliveryAttempt.objects.filter(notification__title="News 2").update(due_at=NOW + MINUTE)

    assert send_mails(ada.pk, at=NOW) == 2

    [message] = mail.outbox
    assert (message.to, message.subject) == (["ada@example.org"], "2 notifications (CampusHub360)")
    assert [f"News {number}" in message.body for number in range(3)] == [True, True, False]
    assert send_mails(ada.pk, at=NOW) == 0


def test_as_much_as_one_mail_tells_goes_in_one(ada, monkeypatch):
    monkeypatch.setattr(mails, "MOST", 2)
    for _ in range(5):
        tell(ada, at=NOW)

    assert send_mails(ada.pk, at=NOW) == 5
    assert len(mail.outbox) == 3


def test_a_digest_waits_for_the_morning_and_is_one_mail(ada, woken):
    PreferenceFactory(user=ada, topic="tests.news", digest="daily")
    for hours in range(3):
        tell(ada, title=f"News {hours}", at=NOW + timedelta(hours=hours))
    morning = datetime(2026, 6, 2, 7, tzinfo=UTC)

    early = announce_due(at=morning - MINUTE), send_mails(ada.pk, at=morning - MINUTE)
    due = announce_due(at=morning)
    Relay().drain()
    sent = [send_mails(ada.pk, at=morning) for _ in woken]

    assert (early, due, sent) == ((0, 0), 1, [3])
    assert [message.subject for message in mail.outbox] == ["3 notifications (CampusHub360)"]


def test_quiet_hours_hold_when_a_mail_was_due_before_they_were_chosen(ada):
    tell(ada, at=NOW)
    QuietHoursFactory(user=ada, starts_at="13:00", ends_at="15:00", time_zone="Europe/Vienna")

    assert send_mails(ada.pk, at=NOW) == 0
    assert (mail.outbox, states()) == ([], [("waiting", 0, "")])
    assert send_mails(ada.pk, at=NOW + timedelta(hours=1)) == 1


@pytest.mark.parametrize("event", ["read", "switched off", "account closed", "topic gone"])
def test_what_is_not_wanted_any_more_is_not_mailed(ada, event):
    tell(ada, at=NOW)
    if event == "read":
        Notification.objects.update(read_at=NOW)
    elif event == "switched off":
        PreferenceFactory(user=ada, topic="tests.news", is_enabled=False)
    elif event == "account closed":
        type(ada).objects.update(is_active=False)
    else:
        Notification.objects.update(topic="tests.former")

    assert send_mails(ada.pk, at=NOW) == 0
    assert (mail.outbox, states()) == ([], [("dropped", 0, "")])


class TestFailures:
    def test_are_tried_again_ever_later_until_the_server_takes_the_mail(self, ada, port, caplog):
        tell(ada, title="Secret title", text="Secret text", at=NOW)
        caplog.set_level("DEBUG")
        at, waits = NOW, []
        for _ in range(9):
            assert send_mails(ada.pk, at=at) == 0
            attempt = DeliveryAttempt.objects.get()
            assert send_mails(ada.pk, at=attempt.due_at - timedelta(microseconds=1)) == 0
            waits.append(attempt.due_at - at)
            at = attempt.due_at

        with mail_server(port) as server:
            sent = [send_mails(ada.pk, at=at) for _ in range(2)]

        assert waits == [FIRST_RETRY * 2**number for number in range(6)] + [SLOWEST_RETRY] * 3
        assert (sent, states()) == ([1, 0], [("sent", 10, "")])
        assert [recipients for recipients, _ in server.mails] == [["ada@example.org"]]
        assert "Secret" not in caplog.text
        assert "ada@example.org" not in caplog.text

    def test_are_given_up_after_about_a_day(self, ada, port, caplog):
        tell(ada, at=NOW)
        DeliveryAttempt.objects.update(attempts=MOST_ATTEMPTS - 1)

        send_mails(ada.pk, at=NOW)

        assert states() == [("failed", MOST_ATTEMPTS, "ConnectionRefusedError")]
        assert "notification.given_up" in caplog.text
        waited = sum((min(FIRST_RETRY * 2**number, SLOWEST_RETRY) for number in range(MOST_ATTEMPTS - 1)), timedelta())
        assert timedelta(hours=20) < waited < timedelta(hours=28)

    def test_of_one_keep_no_other_waiting(self, ada, port):
        old = DeliveryAttemptFactory(notification__recipient=ada, notification__topic="tests.news", attempts=5)
        tell(ada)

        send_mails(ada.pk, at=(now := timezone.now()))

        due = dict(DeliveryAttempt.objects.values_list("attempts", "due_at"))
        assert due == {6: now + FIRST_RETRY * 32, 1: now + FIRST_RETRY}
        old.refresh_from_db()
        assert old.attempts == 6

    def test_that_are_final_are_not_tried_again(self, caplog):
        nobody = UserFactory(email="a@example.org\r\nBcc: evil@example.org")
        tell(nobody, at=NOW)

        assert send_mails(nobody.pk, at=NOW) == 0
        assert [state for state, *_ in states()] == ["failed"]
        assert "evil" not in caplog.text

    def test_of_workers_leave_what_may_have_gone(self, ada, caplog):
        claimed = DeliveryAttemptFactory(
            notification__recipient=ada, state="sending", claimed_at=NOW, due_at=NOW, attempts=1
        )

        announce_due(at=NOW + LOST_AFTER)
        claimed.refresh_from_db()
        assert claimed.state == "sending"

        announce_due(at=NOW + LOST_AFTER + MINUTE)
        assert send_mails(ada.pk, at=NOW + 2 * LOST_AFTER) == 0
        assert (mail.outbox, states()) == ([], [("unclear", 1, "")])
        assert "notification.unclear" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_one_sends(port):
    ada = UserFactory()
    for number in range(10):
        tell(ada, title=f"News {number}", at=NOW)

    with mail_server(port) as server:
        sent = at_once(*[lambda: send_mails(ada.pk, at=NOW)] * 6)

    bodies = b"".join(message for _, message in server.mails)
    assert sum(sent) == 10
    assert [bodies.count(f"News {number}\r\n".encode()) for number in range(10)] == [1] * 10
    assert set(DeliveryAttempt.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_the_chore_wakes_workers_for_each_account_once(ada, woken):
    for user in (ada, ada, UserFactory()):
        DeliveryAttemptFactory(notification__recipient=user, notification__topic="tests.news")

    call_command("mail_notifications")
    tasks.mail_notifications()
    Relay().drain()

    assert len(woken) == 4
    assert len(set(woken)) == 2
    assert Chore.objects.get(name="mail_notifications").count == 2
    tasks.send_mails(str(ada.pk))
    assert len(mail.outbox) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_relay_and_a_worker_of_their_own_mail_what_somebody_was_told(settings, port):
    settings.DATABASE_DIRECT_URL = ""
    variables = {
        "TEST_BROKER": settings.REDIS_URL,
        "TEST_QUEUE": f"notifications-{new_id()}",
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
    }
    ada = UserFactory(email="ada@example.org")
    with mail_server(port) as server, process("relay", **variables), process("worker", **variables):
        # What the other processes know of topics are those of the apps.
        DeliveryAttemptFactory(notification__recipient=ada, due_at=timezone.now())
        announce_due(at=timezone.now())

        assert eventually(lambda: DeliveryAttempt.objects.filter(state="sent").exists(), seconds=60)

    assert [recipients for recipients, _ in server.mails] == [["ada@example.org"]]
