"""Notifications over HTTP: one's own and nobody else's, read one by one or all at once, and chosen among."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from audit.models import Disclosure
from notifications.models import Notification, Preference, QuietHours
from notifications.services import choose
from tests.notifications.conftest import DUTY
from tests.notifications.factories import NotificationFactory, PreferenceFactory
from tests.notifications.telling import tell
from tests.racing import at_once

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications/"
PREFERENCES, UNREAD, READ_ALL = f"{URL}preferences/", f"{URL}unread-count/", f"{URL}read-all/"
QUIET = {"starts_at": "22:00:00", "ends_at": "07:00:00", "time_zone": "Europe/Vienna"}


@pytest.fixture
def student(user_with):
    return user_with(Role.STUDENT)


@pytest.fixture
def client(student, client_for):
    return client_for(student)


def titles(client, **question):
    return [row["title"] for row in client.get(URL, question).json()["data"]]


def refusals(answer):
    assert answer.status_code == 400, answer.content
    return {(error["code"], error["field"]) for error in answer.json()["errors"]}


class TestReading:
    def test_shows_what_one_was_told_the_latest_first(self, client, student):
        for number in range(3):
            tell(student, title=f"News {number}", text="Text", link="/news")
        first = client.get(URL).json()["data"][-1]

        assert titles(client) == ["News 2", "News 1", "News 0"]
        assert titles(client, ordering="created_at") == ["News 0", "News 1", "News 2"]
        assert first.keys() == {"id", "topic", "title", "text", "link", "created_at", "read_at"}
        assert (first["topic"], first["text"], first["link"], first["read_at"]) == ("tests.news", "Text", "/news", None)
        assert client.get(f"{URL}{first['id']}/").json()["data"] == first
        assert not Disclosure.objects.exists()

    @pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.AUDITOR, Role.REGISTRAR])
    def test_shows_nobody_elses_whoever_asks(self, student, user_with, client_for, role):
        tell(student)
        told, other = Notification.objects.get(), client_for(user_with(role))

        assert titles(other) == []
        assert other.get(UNREAD).json()["data"] == {"unread": 0}
        assert other.get(f"{URL}{told.pk}/").status_code == 404
        assert other.post(f"{URL}{told.pk}/read/").status_code == 404
        assert other.post(READ_ALL).json()["data"] == {"read": 0}
        told.refresh_from_db()
        assert told.read_at is None

    def test_shows_nothing_that_goes_by_mail_alone(self, client, student):
        PreferenceFactory(user=student, topic="tests.news", channel="in_app", is_enabled=False)
        tell(student)
        told = Notification.objects.get()

        assert titles(client) == []
        assert client.get(f"{URL}{told.pk}/").status_code == 404
        assert client.get(UNREAD).json()["data"] == {"unread": 0}
        assert client.post(READ_ALL).json()["data"] == {"read": 0}

    def test_filters_by_what_was_read_and_by_topic(self, client, student):
        for number, topic in enumerate(("attendance.shortage", "attendance.shortage", "attendance.advisee_shortage")):
            NotificationFactory(
                recipient=student, topic=topic, title=str(number), read_at=timezone.now() if number else None
            )

        assert titles(client, unread="true") == ["0"]
        assert titles(client, unread="false") == ["2", "1"]
        assert titles(client, topic="attendance.shortage") == ["1", "0"]
        assert titles(client, topic="attendance.shortage,attendance.advisee_shortage", unread="false") == ["2", "1"]
        assert refusals(client.get(URL, {"topic": "nothing", "unread": "x"})) == {
            ("invalid_choice", "topic"), ("invalid_parameter", "unread"),
        }  # fmt: skip

    def test_pages_lose_none(self, client, student):
        for number in range(5):
            tell(student, title=str(number))
        found, url = [], f"{URL}?page_size=2"
        while url:
            body = client.get(url).json()
            found += [row["title"] for row in body["data"]]
            url = body["meta"]["pagination"]["next"]

        assert found == ["4", "3", "2", "1", "0"]

    def test_takes_as_many_statements_for_many_as_for_one(self, client, student):
        counts = []
        for size in (1, 50):
            for _ in range(size):
                tell(student)
            with CaptureQueriesContext(connection) as asked:
                client.get(URL, {"page_size": 200})
            counts.append(len(asked))

        assert counts[0] == counts[1] <= 3

    def test_is_remembered_from_the_first_time_on(self, client, student):
        for _ in range(3):
            tell(student)
        told = Notification.objects.latest("created_at")

        answers = [client.post(f"{URL}{told.pk}/read/") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json()["data"] == answers[1].json()["data"]
        assert answers[0].json()["data"]["read_at"] is not None
        assert client.get(UNREAD).json()["data"] == {"unread": 2}
        assert client.post(READ_ALL).json()["data"] == {"read": 2}
        assert client.get(UNREAD).json()["data"] == {"unread": 0}
        told.refresh_from_db()
        assert told.read_at < Notification.objects.exclude(pk=told.pk)[0].read_at

    def test_is_for_those_who_have_logged_in(self, client_for):
        assert {client_for(None).get(url).status_code for url in (URL, UNREAD, PREFERENCES)} == {401}


class TestChoosing:
    def test_begins_with_what_the_topics_say(self, client):
        data = client.get(PREFERENCES).json()["data"]

        assert [(each["name"], each["is_mandatory"]) for each in data["topics"]] == [
            ("tests.duty", True), ("tests.news", False), ("tests.nothing", False),
        ]  # fmt: skip
        assert {(each["topic"], each["channel"]) for each in data["preferences"] if each["is_enabled"]} == {
            ("tests.duty", "in_app"), ("tests.news", "in_app"), ("tests.news", "email"),
        }  # fmt: skip
        assert {each["digest"] for each in data["preferences"]} == {"at_once"}
        assert len(data["preferences"]) == 6
        assert data["quiet_hours"] is None

    def test_replaces_what_was_chosen_before(self, client, student):
        daily = {"topic": "tests.news", "channel": "email", "is_enabled": True, "digest": "daily"}
        silent = {"topic": "tests.news", "channel": "in_app", "is_enabled": False}

        first = client.put(PREFERENCES, {"preferences": [daily, silent], "quiet_hours": QUIET})
        shown = first.json()["data"]
        again = client.put(PREFERENCES, {"preferences": shown["preferences"], "quiet_hours": shown["quiet_hours"]})

        assert first.status_code == 200, first.content
        assert daily in shown["preferences"]
        assert {**silent, "digest": "at_once"} in shown["preferences"]
        assert shown["quiet_hours"] == QUIET
        assert again.json()["data"] == shown == client.get(PREFERENCES).json()["data"]

        emptied = client.put(PREFERENCES, {"preferences": [], "quiet_hours": None}).json()["data"]
        assert {each["digest"] for each in emptied["preferences"]} == {"at_once"}
        assert emptied["quiet_hours"] is None
        assert not Preference.objects.exists()
        assert not QuietHours.objects.exists()

    def test_refuses_all_that_is_wrong_at_once_and_changes_nothing(self, client, student):
        choose(student, preferences=[], quiet_hours={**QUIET, "starts_at": "21:00", "ends_at": "06:00"})
        news = {"topic": "tests.news", "channel": "email", "is_enabled": False}
        wrong = [
            {**news, "topic": "tests.unheard"}, {**news, "topic": "tests.duty", "channel": "in_app"}, news, news,
            {**news, "channel": "in_app", "digest": "daily"},
        ]  # fmt: skip

        answer = client.put(
            PREFERENCES, {"preferences": wrong, "quiet_hours": {**QUIET, "ends_at": QUIET["starts_at"]}}
        )

        assert refusals(answer) == {
            ("unknown_topic", "preferences.0.topic"), ("mandatory_topic", "preferences.1.is_enabled"),
            ("repeated_preference", "preferences.3"), ("digest_needs_mail", "preferences.4.digest"),
            ("empty_quiet_hours", "quiet_hours.ends_at"),
        }  # fmt: skip
        zone = client.put(PREFERENCES, {"preferences": [], "quiet_hours": {**QUIET, "time_zone": "Vienna"}})
        assert refusals(zone) == {("unknown_time_zone", "quiet_hours.time_zone")}
        assert not Preference.objects.exists()
        assert QuietHours.objects.get().time_zone == "Europe/Vienna"

    def test_lets_other_channels_of_what_is_mandatory_be_chosen(self, client):
        mailed = {"topic": DUTY.name, "channel": "email", "is_enabled": True, "digest": "daily"}

        shown = client.put(PREFERENCES, {"preferences": [mailed], "quiet_hours": None}).json()["data"]

        assert mailed in shown["preferences"]

    def test_is_everybodys_own(self, client, user_with, client_for):
        client.put(PREFERENCES, {"preferences": [], "quiet_hours": QUIET})

        other = client_for(user_with(Role.SYSTEM_ADMIN)).get(PREFERENCES).json()["data"]

        assert other["quiet_hours"] is None

    def test_takes_as_many_statements_to_be_shown_however_much_was_chosen(self, client, student):
        with CaptureQueriesContext(connection) as nothing:
            client.get(PREFERENCES)
        PreferenceFactory(user=student, topic="tests.news")
        PreferenceFactory(user=student, topic="tests.nothing")
        with CaptureQueriesContext(connection) as asked:
            client.get(PREFERENCES)

        assert len(asked) == len(nothing) <= 3

    @pytest.mark.django_db(transaction=True)
    def test_is_done_by_one_after_the_other(self, user_with):
        student = user_with(Role.STUDENT)

        def choosing(digest):
            chosen = {"topic": "tests.news", "channel": "email", "is_enabled": True, "digest": digest}
            return lambda: choose(
                student, preferences=[chosen], quiet_hours={**QUIET, "starts_at": "21:00", "ends_at": "6:00"}
            )

        assert at_once(*[choosing(digest) for digest in ("daily", "at_once") * 4]) == [None] * 8
        assert Preference.objects.count() == QuietHours.objects.count() == 1


def test_what_is_read_is_found_by_an_index(client, student):
    many = [
        Notification(recipient=student, topic="tests.news", title="x", dedupe_key=str(number), read_at=timezone.now())
        for number in range(3000)
    ]
    Notification.objects.bulk_create(many)
    Notification.objects.filter(pk=many[0].pk).update(read_at=None, created_at=timezone.now() - timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_notification")

    plan = Notification.objects.filter(recipient=student, is_listed=True, read_at=None).explain()

    assert "notifications_unread" in plan
