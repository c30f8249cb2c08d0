"""Whoever falls short of attendance is told so, once a crossing, and so is whoever advises them."""

from datetime import UTC, datetime

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.services import tell_of_crossing
from core.models import OutboxEvent
from core.relay import Relay
from notifications.models import Notification
from notifications.services import send_mails
from tests.accounts.factories import PersonFactory, UserFactory
from tests.attendance.factories import AttendancePolicyFactory
from tests.attendance.test_standings import WEEK, term_of
from tests.departments.factories import TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
CROSSED = {"is_short": True, "threshold": "75.00", "happened_at": datetime(2026, 6, 1, tzinfo=UTC)}


@pytest.fixture
def enrollment(db, monkeypatch):
    """Somebody who studies and is advised; both have accounts."""
    monkeypatch.setattr("notifications.subscribers.current_app.send_task", lambda *_args, **_options: None)
    lasting = TermFactory(state="in_progress", ends_on=timezone.localdate() + WEEK)
    row = EnrollmentFactory(section__term=lasting, section__code="01", section__course__code="PHY")
    row.student.advisor = PersonFactory()
    row.student.save()
    UserFactory(person=row.student.person, email="student@example.org")
    UserFactory(person=row.student.advisor, email="advisor@example.org")
    return row


def told():
    return list(Notification.objects.order_by("created_at", "topic").values_list("recipient__email", "topic", "title"))


def test_a_crossing_tells_the_student_and_their_advisor_in_each_direction(enrollment):
    AttendancePolicyFactory(alert_after=1)

    term_of(enrollment, "p" * 3 + "a")
    Relay().drain()
    first = told()
    OutboxEvent.objects.filter(name="attendance.threshold.crossed").update(delivered_at=None, delivered_to=[])
    Relay().drain()

    assert told() == first
    assert [(who, topic) for who, topic, _ in first] == [
        ("student@example.org", "attendance.shortage"), ("advisor@example.org", "attendance.advisee_shortage"),
    ] * 2  # fmt: skip
    assert [title for who, _, title in first if who.startswith("student")] == [
        "Your attendance in PHY-01 falls short", "Your attendance in PHY-01 is enough again",
    ]  # fmt: skip


def test_the_student_is_mailed_and_the_mail_names_nobody(enrollment):
    tell_of_crossing(enrollment.pk, **CROSSED, at=(now := timezone.now()))
    student, person = enrollment.student, enrollment.student.person

    for user in (person.user, student.advisor.user):
        send_mails(user.pk, at=now)

    [message] = mail.outbox
    assert message.to == ["student@example.org"]
    assert "75.00 %" in message.body
    assert f"/attendance/enrollments/{enrollment.pk}\n" in message.body
    said = " ".join(f"{each.title} {each.text}" for each in Notification.objects.all())
    assert not [name for name in (person.first_name, person.last_name, student.student_no) if name in said]


def test_whoever_has_no_account_is_told_nothing(enrollment):
    stranger = EnrollmentFactory(section=enrollment.section)

    assert tell_of_crossing(stranger.pk, **CROSSED, at=timezone.now()) == 0
    assert tell_of_crossing(stranger.section_id, **CROSSED, at=timezone.now()) == 0
    assert told() == []


def test_it_takes_as_many_statements_for_two_as_it_says(enrollment):
    with CaptureQueriesContext(connection) as asked:
        assert tell_of_crossing(enrollment.pk, **CROSSED, at=timezone.now()) == 2

    assert sum(not str(each["sql"]).startswith(("SAVEPOINT", "RELEASE")) for each in asked) <= 15


@pytest.mark.django_db(transaction=True)
def test_a_crossing_is_told_once_however_many_tell_it_at_once(enrollment):
    outcomes = at_once(*[lambda: tell_of_crossing(enrollment.pk, **CROSSED, at=timezone.now())] * 4)

    assert sum(outcomes) == Notification.objects.count() == 2
