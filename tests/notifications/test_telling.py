"""Telling people: once each, as they want it, in a few statements, and only if the caller commits."""

from datetime import UTC, datetime, time

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.models import OutboxEvent
from core.relay import Relay
from notifications.events import MailDue
from notifications.models import DeliveryAttempt, Notification
from notifications.services import telling
from notifications.topics import Topic, declare
from tests.accounts.factories import UserFactory
from tests.notifications.conftest import DUTY, NEWS, NOTHING
from tests.notifications.factories import PreferenceFactory, QuietHoursFactory
from tests.notifications.telling import tell
from tests.racing import at_once, while_uncommitted

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_everybody_is_told_as_the_topic_says(ada, woken):
    bea = UserFactory()

    assert tell(ada, bea, title="Holiday", text="No classes.", link="/news/1") == 2

    told = Notification.objects.get(recipient=ada)
    assert (told.topic, told.title, told.text, told.link, told.read_at) == (
        "tests.news", "Holiday", "No classes.", "/news/1", None,
    )  # fmt: skip
    assert set(DeliveryAttempt.objects.values_list("channel", "state", "attempts")) == {("email", "waiting", 0)}
    Relay().drain()
    assert sorted(woken) == sorted([str(ada.pk), str(bea.pk)])


def test_nobody_is_told_twice_what_happened_once(ada):
    told = [tell(ada, ada, dedupe_key="crossing"), tell(ada, dedupe_key="crossing", title="Again")]

    assert told == [1, 0]
    assert tell(ada, UserFactory(), dedupe_key="crossing") == 1
    assert list(Notification.objects.filter(recipient=ada).values_list("title", flat=True)) == ["There is news"]
    assert DeliveryAttempt.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_twice_however_many_tell_it_at_once():
    people = [UserFactory() for _ in range(20)]

    def telling_all(turn):
        return lambda: tell(*people[turn:], *people[:turn], dedupe_key="crossing")

    told = at_once(*(telling_all(turn) for turn in range(8)))

    assert sum(told) == len(people)
    assert Notification.objects.count() == DeliveryAttempt.objects.count() == len(people)


@pytest.mark.django_db(transaction=True)
def test_who_tells_the_same_waits_until_it_is_known_whether_it_was_told():
    ada = UserFactory()

    assert while_uncommitted(lambda: tell(ada, dedupe_key="x"), lambda: tell(ada, dedupe_key="x")) == 0
    assert Notification.objects.count() == 1


def test_nobody_is_told_what_was_taken_back(ada, woken):
    with transaction.atomic():
        tell(ada)
        transaction.set_rollback(True)

    assert not Notification.objects.exists()
    assert not OutboxEvent.objects.filter(name=MailDue.name).exists()


def test_closed_accounts_and_programs_are_told_nothing():
    told = tell(UserFactory(is_active=False), UserFactory(is_service=True))

    assert (told, Notification.objects.count()) == (0, 0)


class TestWishes:
    def test_decide_by_what_somebody_is_told(self, ada):
        silent, mail_only, daily = (UserFactory() for _ in range(3))
        for user, channel, is_enabled, digest in (
            (silent, "email", False, "at_once"), (silent, "in_app", False, "at_once"),
            (mail_only, "in_app", False, "at_once"), (daily, "email", True, "daily"),
        ):  # fmt: skip
            PreferenceFactory(user=user, topic="tests.news", channel=channel, is_enabled=is_enabled, digest=digest)
        # Of another topic, which is another matter.
        PreferenceFactory(user=ada, topic="tests.nothing", is_enabled=False)

        assert tell(ada, silent, mail_only, daily, at=NOW) == 3

        assert set(Notification.objects.values_list("recipient", "is_listed")) == {
            (ada.pk, True), (mail_only.pk, False), (daily.pk, True),
        }  # fmt: skip
        due = dict(DeliveryAttempt.objects.values_list("notification__recipient", "due_at"))
        assert due == {ada.pk: NOW, mail_only.pk: NOW, daily.pk: datetime(2026, 6, 2, 7, tzinfo=UTC)}

    def test_of_what_is_mandatory_count_for_other_channels_alone(self, ada):
        for channel, is_enabled in (("in_app", False), ("email", True)):
            PreferenceFactory(user=ada, topic="tests.duty", channel=channel, is_enabled=is_enabled)

        tell(ada, topic=DUTY)

        assert Notification.objects.get().is_listed
        assert DeliveryAttempt.objects.count() == 1

    def test_bring_what_nobody_is_told_unasked(self, ada):
        PreferenceFactory(user=ada, topic="tests.nothing", channel="in_app", is_enabled=True)

        assert tell(ada, UserFactory(), topic=NOTHING) == 1

    def test_for_quiet_hours_put_mails_off(self, ada, woken):
        QuietHoursFactory(user=ada, starts_at=time(13), ends_at=time(15), time_zone="Europe/Vienna")

        tell(ada, at=NOW)

        assert DeliveryAttempt.objects.get().due_at == datetime(2026, 6, 1, 13, tzinfo=UTC)
        Relay().drain()
        assert woken == []


def test_telling_many_takes_as_many_statements_as_telling_one(woken, monkeypatch):
    people = User.objects.bulk_create([User(email=f"many{number}@example.org", password="!") for number in range(500)])
    counts = []
    for some in (people[:1], people):
        with CaptureQueriesContext(connection) as asked:
            tell(*some)
        counts.append(sum(not str(each["sql"]).startswith(("SAVEPOINT", "RELEASE")) for each in asked))

    # Who they are, what they chose, the rows, which of them are new, and their mails; the event goes by COPY.
    assert counts[0] == counts[1] <= 7
    names = [event.payload["user_ids"] for event in OutboxEvent.objects.filter(name=MailDue.name).order_by("seq")]
    assert [len(each) for each in names] == [1, 200, 200, 100]
    monkeypatch.setattr(telling, "BATCH", 200)
    assert tell(*people, dedupe_key="in batches") == 500


def test_a_link_leads_to_this_site_alone(ada):
    for link in ("/", "/news", "/news/1?a=b#c", "/a//b"):
        tell(ada, link=link)
    for link in ("//evil.example", "/\\evil.example", "https://evil.example", "news", "/a b", "/a\n", "/a\\b"):
        with pytest.raises(IntegrityError, match="leads_nowhere_else"), transaction.atomic():
            tell(ada, link=link)


def test_a_topic_is_declared_once_and_before_anybody_is_told(ada):
    assert declare(NEWS) is NEWS
    with pytest.raises(ValueError, match="another topic"):
        declare(Topic(name="tests.news", label="Other news", help_text=""))
    with pytest.raises(ValueError, match="declared"):
        tell(ada, topic=Topic(name="tests.unheard", label="", help_text=""))
