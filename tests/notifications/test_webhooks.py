"""Endpoints of programs over HTTP: who may have one, about what, and that its secret is told once."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import services as accounts
from accounts.roles import Role
from audit.models import Disclosure, Event
from core.models import IdempotencyKey
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services.endpoints import MOST_ENDPOINTS
from tests.accounts.keys import caller, key_of, program
from tests.attendance.factories import AttendanceRecordFactory
from tests.notifications.factories import WebhookDeliveryFactory, WebhookEndpointFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
HOOKS, LOG, TOPICS = "/api/v1/webhooks/", "/api/v1/webhook-deliveries/", "/api/v1/webhooks/topics/"
CANCELLED, CLOSED, CROSSED = "courses.section.cancelled", "attendance.session.closed", "attendance.threshold.crossed"
MAY = [f"notifications.{verb}_webhookendpoint" for verb in ("view", "add", "change", "delete")]
SUMMARIES = "attendance.view_attendancesummary"
MAY += [f"notifications.{verb}_webhookdelivery" for verb in ("view", "change")]
URL = "https://hooks.example.org/campus"
BODY = {"url": URL, "topics": [CANCELLED]}


@pytest.fixture
def account():
    return program(Role.INTEGRATION)


@pytest.fixture
def key(account):
    return key_of(account, *MAY, "courses.view_section")


@pytest.fixture
def client(key):
    return caller(key)


@pytest.fixture
def admin_client(user_with, client_for):
    return client_for(user_with(Role.SYSTEM_ADMIN))


def errors(response):
    return {(error["field"], error["code"]) for error in response.json()["errors"]}


def dumped():
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row::text, '') FROM notifications_webhookendpoint AS row")
        return cursor.fetchone()[0]


class TestMakingOne:
    def test_tells_its_secret_once(self, client, account, key):
        answer = client.post(HOOKS, BODY, format="json", headers={"Idempotency-Key": "one"})
        again = client.post(HOOKS, BODY, format="json", headers={"Idempotency-Key": "one"})

        assert (answer.status_code, again.status_code) == (201, 201)
        made = answer.json()["data"]
        endpoint = WebhookEndpoint.objects.get()
        assert made["secret"].startswith("whsec_")
        assert endpoint.secret == made["secret"]
        assert again.json()["data"]["secret"] is None
        assert (endpoint.owner, endpoint.api_key_id) == (account, key.pk)
        assert "secret" not in client.get(f"{HOOKS}{made['id']}/").json()["data"]
        assert made["secret"][6:] not in dumped() + str(IdempotencyKey.objects.values()) + str(Event.objects.values())

    @pytest.mark.parametrize(
        ("change", "refused"),
        [
            ({"url": "http://hooks.example.org/"}, ("url", "unusable_url")),
            ({"url": "https://169.254.169.254/latest/"}, ("url", "unusable_url")),
            ({"url": "https://[::ffff:10.0.0.1]/"}, ("url", "unusable_url")),
            ({"url": "https://user:word@hooks.example.org/"}, ("url", "unusable_url")),
            ({"topics": ["courses.unheard_of"]}, ("topics.0", "unknown_topic")),
            ({"topics": [CANCELLED, CROSSED]}, ("topics.1", "topic_not_permitted")),
            ({"topics": [CLOSED]}, ("topics.0", "topic_not_permitted")),  # the role permits it, and the key does not
            ({"topics": []}, ("topics", "empty")),
        ],
    )
    def test_is_refused_what_the_caller_may_not_be_told_or_where(self, client, change, refused):
        answer = client.post(HOOKS, {**BODY, **change}, format="json")

        assert answer.status_code == 400
        assert refused in errors(answer)
        assert not WebhookEndpoint.objects.exists()

    def test_says_all_that_is_wrong_at_once(self, client):
        answer = client.post(HOOKS, {"url": "https://10.0.0.1/", "topics": ["no", CROSSED]}, format="json")

        assert errors(answer) == {
            ("url", "unusable_url"), ("topics.0", "unknown_topic"), ("topics.1", "topic_not_permitted"),
        }  # fmt: skip

    def test_ends_with_as_many_as_an_account_may_have(self, client, account):
        for _ in range(MOST_ENDPOINTS - 1):
            WebhookEndpointFactory(owner=account)

        answers = [client.post(HOOKS, BODY, format="json") for _ in range(2)]

        assert [each.status_code for each in answers] == [201, 409]
        assert answers[1].json()["code"] == "too_many_webhooks"


def test_topics_are_listed_with_what_the_caller_may_read(client):
    listed = {each["name"]: each for each in client.get(TOPICS).json()["data"]}

    assert listed[CANCELLED]["is_permitted"] is True
    assert listed[CROSSED]["is_permitted"] is False
    assert listed[CANCELLED]["says"] == ["section_id", "happened_at"]


class TestChangingOne:
    def test_by_another_key_leaves_it_with_what_that_key_opens(self, client, account):
        mine = client.post(HOOKS, BODY, format="json").json()["data"]["id"]
        narrow = key_of(account, *MAY)

        refused = caller(narrow).patch(f"{HOOKS}{mine}/", {"topics": [CANCELLED]}, format="json")
        moved = caller(narrow).patch(f"{HOOKS}{mine}/", {"url": "https://other.example.org/"}, format="json")

        assert errors(refused) == {("topics.0", "topic_not_permitted")}
        assert moved.status_code == 200
        assert WebhookEndpoint.objects.get().api_key_id == narrow.pk

    def test_by_the_key_of_somebody_else_lends_it_nothing_that_key_opens(self, client, account, key):
        mine = client.post(HOOKS, BODY, format="json").json()["data"]["id"]
        opens = [*MAY, "notifications.manage_every_webhook", "courses.view_section", SUMMARIES]
        other = caller(key_of(program(Role.SYSTEM_ADMIN), *opens))

        described = other.patch(f"{HOOKS}{mine}/", {"description": "Timetables"}, format="json")
        widened = other.patch(f"{HOOKS}{mine}/", {"topics": [CANCELLED, CROSSED]}, format="json")

        assert described.status_code == 200
        assert errors(widened) == {("topics.1", "topic_not_permitted")}
        endpoint = WebhookEndpoint.objects.get()
        assert (endpoint.api_key_id, endpoint.topics) == (key.pk, [CANCELLED])

    def test_by_somebody_else_asks_for_what_both_may_read(self, account, admin_client):
        endpoint = WebhookEndpointFactory(owner=account, api_key=key_of(account, *MAY))

        refused = admin_client.patch(f"{HOOKS}{endpoint.pk}/", {"topics": [CANCELLED]}, format="json")

        assert errors(refused) == {("topics.0", "topic_not_permitted")}

    def test_switches_it_off_and_gives_up_what_waits_and_on_again(self, client, account):
        endpoint = WebhookEndpointFactory(owner=account, failures=3, failing_since=timezone.now())
        waiting = WebhookDeliveryFactory(endpoint=endpoint)

        off = client.patch(f"{HOOKS}{endpoint.pk}/", {"is_enabled": False}, format="json").json()["data"]
        replayed = client.post(f"{LOG}{waiting.pk}/replay/")
        on = client.patch(f"{HOOKS}{endpoint.pk}/", {"is_enabled": True}, format="json").json()["data"]

        assert (off["is_enabled"], off["disabled_by"]) == (False, "owner")
        waiting.refresh_from_db()
        assert (waiting.state, waiting.last_error) == ("failed", "SwitchedOff")
        assert (replayed.status_code, replayed.json()["code"]) == (409, "webhook_disabled")
        assert (on["is_enabled"], on["disabled_at"], on["failures"], on["failing_since"]) == (True, None, 0, None)

    def test_gives_it_another_secret_and_keeps_the_former_one_for_a_while(self, client, account):
        endpoint = WebhookEndpointFactory(owner=account)
        former = endpoint.secret

        answer = client.post(f"{HOOKS}{endpoint.pk}/rotate/", {"overlap_seconds": 60}, format="json")

        endpoint.refresh_from_db()
        assert answer.status_code == 200
        assert answer.json()["data"]["secret"] == endpoint.secret != former
        assert endpoint.former_secret == former
        assert timezone.now() < endpoint.former_until < timezone.now() + timedelta(seconds=61)
        at_last = client.post(f"{HOOKS}{endpoint.pk}/rotate/", {"overlap_seconds": 0}, format="json")
        assert at_last.json()["data"]["former_until"] is None

    def test_deletes_it_with_what_it_was_told(self, client, account):
        delivery = WebhookDeliveryFactory(endpoint__owner=account)

        assert client.delete(f"{HOOKS}{delivery.endpoint_id}/").status_code == 204
        assert not WebhookDelivery.objects.exists()

    def test_is_on_record(self, client):
        mine = client.post(HOOKS, BODY, format="json").json()["data"]["id"]
        client.patch(f"{HOOKS}{mine}/", {"description": "Timetables"}, format="json")
        client.post(f"{HOOKS}{mine}/rotate/", {}, format="json")
        client.delete(f"{HOOKS}{mine}/")

        actions = Event.objects.filter(action__startswith="webhook.").order_by("id").values_list("action", flat=True)
        assert list(actions) == ["webhook.created", "webhook.changed", "webhook.rotated", "webhook.deleted"]


class TestWhatWasTold:
    def test_is_seen_by_whose_it_is_and_by_administrators(self, client, account, admin_client, user_with, client_for):
        mine = WebhookDeliveryFactory(endpoint__owner=account, response_status=500, last_error="Answer500", attempts=1)
        others = WebhookDeliveryFactory()

        rows = client.get(LOG).json()["data"]

        assert [(row["id"], row["response_status"], row["last_error"]) for row in rows] == [
            (str(mine.pk), 500, "Answer500")
        ]
        assert client.get(f"{LOG}{others.pk}/").status_code == 404
        assert client.post(f"{LOG}{others.pk}/replay/").status_code == 404
        assert {row["id"] for row in admin_client.get(LOG).json()["data"]} == {str(mine.pk), str(others.pk)}
        auditor = client_for(user_with(Role.AUDITOR))
        assert len(auditor.get(LOG, {"state": "waiting"}).json()["data"]) == 2
        assert auditor.post(f"{LOG}{mine.pk}/replay/").status_code == 403

    def test_is_on_record_when_others_read_what_it_says_of_people(self, user_with, client_for):
        student = AttendanceRecordFactory().enrollment.student
        told = WebhookDeliveryFactory(topic=CROSSED, payload={"student_id": str(student.pk)})
        WebhookDeliveryFactory()
        auditor = user_with(Role.AUDITOR)

        client_for(auditor).get(LOG)
        client_for(auditor).get(f"{LOG}{told.pk}/")

        entries = Disclosure.objects.order_by("id").values_list("actor_id", "subject_id", "what", "basis")
        assert (
            list(entries)
            == [(auditor.pk, student.person_id, "webhook delivery", "notifications.view_webhookdelivery as auditor")]
            * 2
        )

    def test_is_listed_in_few_queries(self, client, account, django_assert_max_num_queries):
        endpoint = WebhookEndpointFactory(owner=account)
        for _ in range(3):
            WebhookDeliveryFactory(endpoint=endpoint)

        with django_assert_max_num_queries(6):
            assert len(client.get(LOG, {"endpoint": str(endpoint.pk)}).json()["data"]) == 3

    def test_is_told_once_more_under_the_same_id(self, client, account):
        over = WebhookDeliveryFactory(
            endpoint__owner=account, state="delivered", delivered_at=timezone.now(), attempts=2
        )

        answer = client.post(f"{LOG}{over.pk}/replay/")
        again = client.post(f"{LOG}{over.pk}/replay/")

        shown = answer.json()["data"]
        assert (answer.status_code, shown["state"], shown["attempts"]) == (200, "waiting", 0)
        assert shown["message_id"] == str(over.message_id)
        assert (again.status_code, again.json()["code"]) == (409, "delivery_under_way")

    def test_is_forgotten_after_a_month(self):
        old, young, waiting = (WebhookDeliveryFactory(state=state) for state in ("failed", "dropped", "waiting"))
        WebhookDelivery.objects.filter(pk__in=[old.pk, waiting.pk]).update(
            created_at=timezone.now() - timedelta(days=31)
        )

        call_command("apply_retention")

        assert set(WebhookDelivery.objects.all()) == {young, waiting}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_no_more_than_an_account_may_have(key, account):
    for _ in range(MOST_ENDPOINTS - 1):
        WebhookEndpointFactory(owner=account)

    statuses = at_once(*[lambda: caller(key).post(HOOKS, BODY, format="json").status_code] * 3)

    assert sorted(statuses) == [201, 409, 409]


def test_accounts_without_permission_have_none(registrar_client):
    assert registrar_client.post(HOOKS, BODY, format="json").status_code == 403


def test_a_key_that_is_taken_back_is_accounted_for(key):
    accounts.revoke_api_key(key, by=None)

    assert caller(key).get(HOOKS).status_code == 401
