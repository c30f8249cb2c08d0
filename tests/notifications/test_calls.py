"""Calls of endpoints: signed, at least once, in spite of failures, and nothing to whom it is not for."""

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import RoleAssignment, User
from accounts.roles import Role
from attendance.events import ThresholdCrossed
from audit.models import Disclosure
from core.models import Chore, OutboxEvent
from core.recording import Disclosure as Shown
from core.relay import Relay
from courses.events import SectionCancelled
from courses.models import Section
from notifications import tasks
from notifications.models import Notification, WebhookDelivery, WebhookEndpoint
from notifications.offers import Offer, offer_named
from notifications.services import announce_calls, call_endpoint, calling, replay, spread
from notifications.services.calling import (
    FAILING_FOR,
    FIRST_RETRY,
    LOST_AFTER,
    MOST_ATTEMPTS,
    MOST_FAILURES,
    SLOWEST_RETRY,
)
from notifications.services.endpoints import rotate_secret
from notifications.signing import signature
from notifications.topics import DISABLED, declare
from tests.accounts.keys import key_of, program
from tests.attendance.factories import AttendanceRecordFactory
from tests.courses.factories import SectionFactory
from tests.notifications.factories import WebhookDeliveryFactory, WebhookEndpointFactory
from tests.notifications.listener import listening

pytestmark = pytest.mark.django_db
CANCELLED, CROSSED = SectionCancelled.name, ThresholdCrossed.name
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def about_webhooks(declared):
    declare(DISABLED)


@pytest.fixture
def listener(settings):
    settings.OUTGOING_PLAIN_HTTP = True
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with listening() as server:
        yield server


@pytest.fixture
def account():
    return program(Role.INTEGRATION)


@pytest.fixture
def endpoint(listener, account):
    return WebhookEndpointFactory(owner=account, url=listener.url())


@pytest.fixture
def delivery(endpoint):
    return WebhookDeliveryFactory(endpoint=endpoint)


def states():
    return sorted(WebhookDelivery.objects.values_list("state", "attempts", "response_status", "last_error"))


def is_signed(call, secret):
    """Say whether a call is signed with a secret, as whoever is called finds out."""
    _, headers, body = call
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split()


@pytest.mark.checklist(60)
def test_signatures_are_those_of_the_specification():
    """The example of the Standard Webhooks specification."""
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'

    found = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", signed)

    assert found == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class TestACall:
    @pytest.mark.checklist(60)
    def test_says_ids_and_is_signed_for_its_time(self, delivery, endpoint, listener):
        assert call_endpoint(endpoint.pk, at=timezone.now()) == 1

        [call] = listener.calls
        path, headers, body = call
        assert json.loads(body) == {
            "type": CANCELLED, "timestamp": delivery.created_at.isoformat(), "data": delivery.payload,
        }  # fmt: skip
        assert (path, headers["content-type"]) == ("/hook", "application/json")
        assert headers["webhook-id"] == f"msg_{delivery.message_id.hex}"
        assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
        assert is_signed(call, endpoint.secret)
        assert not is_signed((path, {**headers, "webhook-timestamp": "1614265330"}, body), endpoint.secret)
        assert not is_signed((path, headers, body.replace(b"courses", b"coursed")), endpoint.secret)
        assert states() == [("delivered", 1, 204, "")]

    def test_is_signed_with_both_secrets_until_programs_have_changed_over(self, delivery, endpoint, listener):
        former, now = endpoint.secret, timezone.now()
        rotate_secret(endpoint, by=None, at=now, overlap_seconds=60)

        call_endpoint(endpoint.pk, at=now)
        replay(WebhookDelivery.objects.get(), by=None, at=now)
        call_endpoint(endpoint.pk, at=now + 2 * MINUTE)

        during, after = listener.calls
        assert is_signed(during, former)
        assert is_signed(during, endpoint.secret)
        assert is_signed(after, endpoint.secret)
        assert not is_signed(after, former)
        assert during[1]["webhook-id"] == after[1]["webhook-id"]
        assert during[2] == after[2]

    @pytest.mark.checklist(59)
    def test_goes_nowhere_inside_whatever_the_row_says(self, delivery, endpoint, listener, settings):
        settings.OUTGOING_ALLOWED_NETWORKS = []

        call_endpoint(endpoint.pk, at=timezone.now())

        assert not listener.calls
        assert states() == [("waiting", 1, None, "address")]

    @pytest.mark.checklist(59)
    def test_follows_no_redirect(self, delivery, endpoint, listener):
        listener.status = 302

        call_endpoint(endpoint.pk, at=timezone.now())

        assert len(listener.calls) == 1
        assert states() == [("waiting", 1, 302, "Answer302")]


class TestFailures:
    def test_put_a_delivery_off_longer_and_longer_until_it_is_given_up(self, delivery, endpoint, listener):
        listener.status, at, pauses = 500, timezone.now(), []
        for _ in range(MOST_ATTEMPTS):
            WebhookEndpoint.objects.update(failures=0, failing_since=None)
            assert call_endpoint(endpoint.pk, at=at) == 0
            delivery.refresh_from_db()
            pauses.append(delivery.due_at - at)
            at = delivery.due_at

        assert pauses[0] == FIRST_RETRY
        assert pauses == sorted(pauses)
        assert pauses[-1] == SLOWEST_RETRY
        assert timedelta(days=1) < sum(pauses, timedelta()) < timedelta(days=4)
        assert states() == [("failed", MOST_ATTEMPTS, 500, "Answer500")]
        assert len({call[1]["webhook-id"] for call in listener.calls}) == 1

    def test_are_met_once_a_round_and_nothing_is_lost(self, endpoint, listener):
        deliveries = [WebhookDeliveryFactory(endpoint=endpoint) for _ in range(3)]
        listener.status, at = 503, timezone.now()

        assert call_endpoint(endpoint.pk, at=at) == 0
        assert len(listener.calls) == 1
        listener.status = 200
        assert call_endpoint(endpoint.pk, at=at) == 2
        assert call_endpoint(endpoint.pk, at=at + MINUTE) == 1

        assert {call[1]["webhook-id"] for call in listener.calls} == {f"msg_{row.message_id.hex}" for row in deliveries}
        endpoint.refresh_from_db()
        assert (endpoint.failures, endpoint.failing_since) == (0, None)

    def test_switch_an_endpoint_off_and_tell_who_gave_the_program_its_keys(
        self, delivery, endpoint, listener, account, user_with
    ):
        WebhookDeliveryFactory(endpoint=endpoint)
        admin, at = user_with(Role.SYSTEM_ADMIN), timezone.now()
        accounts.create_api_key(
            by=admin, user=account, name="Hooks", scopes=["courses.view_section"], expires_at=at + timedelta(days=9)
        )
        WebhookEndpoint.objects.update(failures=MOST_FAILURES - 2, failing_since=at - FAILING_FOR)
        listener.status = 500

        call_endpoint(endpoint.pk, at=at)
        endpoint.refresh_from_db()
        assert (endpoint.failures, endpoint.is_enabled) == (MOST_FAILURES - 1, True)
        call_endpoint(endpoint.pk, at=at)
        call_endpoint(endpoint.pk, at=at)

        endpoint.refresh_from_db()
        assert (endpoint.is_enabled, endpoint.disabled_by) == (False, "failures")
        assert len(listener.calls) == 2
        assert {state for state, *_ in states()} == {"failed"}
        told = Notification.objects.get()
        assert (told.recipient, told.topic, told.link) == (admin, DISABLED.name, f"/webhooks/{endpoint.pk}")
        assert spread(offer_named(CANCELLED), {"section_id": SectionFactory().pk}, at=at) == 0

    def test_of_a_few_hours_switch_nothing_off(self, delivery, endpoint, listener):
        at = timezone.now()
        WebhookEndpoint.objects.update(failures=10 * MOST_FAILURES, failing_since=at - FAILING_FOR / 2)
        listener.status = 500

        call_endpoint(endpoint.pk, at=at)

        assert WebhookEndpoint.objects.get().is_enabled

    def test_an_endpoint_that_says_it_is_gone_is_switched_off_at_once(self, delivery, endpoint, listener):
        listener.status = 410

        call_endpoint(endpoint.pk, at=timezone.now())

        endpoint.refresh_from_db()
        assert (endpoint.is_enabled, endpoint.disabled_by) == (False, "gone")

    def test_of_a_worker_leave_a_delivery_that_another_takes_up_again(self, delivery, endpoint, listener, woken_calls):
        at = timezone.now()
        WebhookDelivery.objects.update(state="sending", claimed_at=at - LOST_AFTER - MINUTE)

        assert call_endpoint(endpoint.pk, at=at) == 0
        tasks.call_webhooks()
        Relay().drain()

        assert woken_calls == [str(endpoint.pk)]
        assert Chore.objects.get(name="call_webhooks").count == 1
        assert call_endpoint(endpoint.pk, at=timezone.now()) == 1


@pytest.fixture
def woken_calls(monkeypatch):
    """The endpoints for which workers were woken."""
    found = []
    monkeypatch.setattr("notifications.subscribers.current_app.send_task", lambda name, args: found.extend(args))
    return found


def cancelled(section):
    return {
        "section_id": str(section.pk),
        "actor_id": None,
        "reason": "Nobody came",
        "happened_at": "2026-03-02T09:00Z",
    }


class TestSpreading:
    def test_writes_down_what_each_endpoint_is_to_be_told_once(self, account, woken_calls):
        asked = [WebhookEndpointFactory(owner=account) for _ in range(2)]
        WebhookEndpointFactory(owner=account, topics=["attendance.session.closed"])
        WebhookEndpointFactory(owner=account, is_enabled=False, disabled_at=timezone.now(), disabled_by="owner")
        section = SectionFactory()
        OutboxEvent.objects.create(name=CANCELLED, payload=cancelled(section))

        Relay().drain()
        Relay().drain()

        rows = WebhookDelivery.objects.all()
        assert {row.endpoint_id for row in rows} == {each.pk for each in asked}
        assert len({row.message_id for row in rows}) == 1
        assert [row.payload for row in rows] == [
            {"section_id": str(section.pk), "happened_at": "2026-03-02T09:00Z"}
        ] * 2
        assert sorted(woken_calls) == sorted(str(each.pk) for each in asked)

    def test_tells_nobody_who_may_not_read_it(self, account, user_with):
        WebhookEndpointFactory(owner=account, topics=["attendance.threshold.crossed"])
        WebhookEndpointFactory(owner=program())
        WebhookEndpointFactory(owner=user_with(Role.SYSTEM_ADMIN, is_active=False))
        narrow = key_of(account, "notifications.add_webhookendpoint")
        WebhookEndpointFactory(owner=account, api_key=narrow)

        told = spread(offer_named(CANCELLED), cancelled(SectionFactory()), at=timezone.now())

        assert told == 0

    def test_tells_nobody_of_a_row_out_of_their_sight(self, account):
        WebhookEndpointFactory(owner=account)
        section = SectionFactory()
        gone = cancelled(section)
        section.delete()

        assert spread(offer_named(CANCELLED), gone, at=timezone.now()) == 0

    def test_goes_on_by_the_successor_of_a_key_and_ends_with_it(self, account):
        key, now = key_of(account, "courses.view_section"), timezone.now()
        WebhookEndpointFactory(owner=account, api_key=key)
        successor = accounts.rotate_api_key(key, by=None, at=now, overlap_seconds=0)
        said = cancelled(SectionFactory())

        assert spread(offer_named(CANCELLED), said, at=now + MINUTE) == 1
        accounts.revoke_api_key(successor, by=None)
        assert spread(offer_named(CANCELLED), said, at=now + MINUTE) == 0

    def test_ends_with_a_key_that_was_taken_back_whatever_came_after(self, account):
        """Whoever stole it may have made the endpoint."""
        key, now = key_of(account, "courses.view_section"), timezone.now()
        WebhookEndpointFactory(owner=account, api_key=key)
        accounts.rotate_api_key(key, by=None, at=now)
        said = cancelled(SectionFactory())

        assert spread(offer_named(CANCELLED), said, at=now + MINUTE) == 1
        key.refresh_from_db()
        accounts.revoke_api_key(key, by=None)
        assert spread(offer_named(CANCELLED), said, at=now + MINUTE) == 0

    def test_is_never_by_the_key_of_another_account(self, account):
        WebhookEndpointFactory(owner=account, api_key=key_of(program(Role.SYSTEM_ADMIN), "courses.view_section"))

        assert spread(offer_named(CANCELLED), cancelled(SectionFactory()), at=timezone.now()) == 0


class TestEducationRecords:
    """What a program is told of a student is disclosed to its account."""

    @pytest.fixture
    def student(self):
        return AttendanceRecordFactory().enrollment.student

    @pytest.fixture
    def crossed(self, student, listener, user_with):
        admin = user_with(Role.SYSTEM_ADMIN)
        endpoint = WebhookEndpointFactory(owner=admin, url=listener.url(), topics=[CROSSED])
        enrollment = student.enrollments.get()
        payload = {
            "enrollment_id": str(enrollment.pk), "student_id": str(student.pk), "is_short": True, "percent": "70",
            "section_id": str(enrollment.section_id), "happened_at": "2026-03-02T09:00Z",
        }  # fmt: skip
        assert spread(offer_named(CROSSED), payload, at=timezone.now()) == 1
        return endpoint

    def test_are_on_record_once_however_often_it_is_called(self, crossed, student, listener):
        assert not Disclosure.objects.exists()
        listener.status, at = 500, timezone.now()

        call_endpoint(crossed.pk, at=at)
        call_endpoint(crossed.pk, at=at + MINUTE)

        assert len(listener.calls) == 2
        entry = Disclosure.objects.get()
        assert (entry.actor_id, entry.subject_id, entry.what) == (crossed.owner_id, student.person_id, "attendance")
        assert entry.basis == "attendance.view_attendancesummary as system_admin"
        assert entry.route == f"webhook.{CROSSED}"

    def test_are_on_record_again_when_they_are_told_again(self, crossed, listener):
        call_endpoint(crossed.pk, at=timezone.now())
        replay(WebhookDelivery.objects.get(), by=None, at=timezone.now())
        call_endpoint(crossed.pk, at=timezone.now())

        assert len(listener.calls) == Disclosure.objects.count() == 2

    def test_are_not_told_when_that_cannot_be_put_on_record(self, crossed, listener, monkeypatch):
        monkeypatch.setattr(calling, "record_disclosures", _fail)

        with pytest.raises(OSError, match="full"):
            call_endpoint(crossed.pk, at=timezone.now())

        assert not listener.calls
        assert states() == [("waiting", 0, None, "")]


def _fail(**entry):
    raise OSError("full")


@pytest.mark.parametrize("is_replayed", [False, True])
def test_of_a_row_that_is_out_of_sight_by_then_nothing_is_told(delivery, endpoint, listener, is_replayed):
    if is_replayed:
        call_endpoint(endpoint.pk, at=timezone.now())
        replay(WebhookDelivery.objects.get(), by=None, at=timezone.now())
    Section.objects.filter(pk=delivery.payload["section_id"]).delete()

    assert call_endpoint(endpoint.pk, at=timezone.now()) == 0

    assert len(listener.calls) == is_replayed
    assert states() == [("dropped", 0, 204 if is_replayed else None, "")]


@pytest.mark.parametrize("lacks", ["section_id", "student_id"])
def test_an_offer_says_by_what_it_is_looked_at_again(lacks):
    says = tuple({"section_id", "student_id", "happened_at"} - {lacks})

    with pytest.raises(ValueError, match=lacks):
        Offer(
            event=SectionCancelled, label="Any", permission="courses.view_section", model=Section, key="section_id",
            says=says, discloses=Shown("any", "student_id"),
        )  # fmt: skip


def test_who_may_not_read_it_any_more_is_not_told_what_waits(delivery, endpoint, listener, account):
    RoleAssignment.objects.filter(user=account).delete()

    assert call_endpoint(endpoint.pk, at=timezone.now()) == 0

    assert not listener.calls
    assert states() == [("dropped", 0, None, "")]


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_up_different_deliveries(delivery, endpoint, listener):
    held, released = threading.Event(), threading.Event()

    def answer_late(call):
        held.set()
        assert released.wait(10)
        call.send_response(204)
        call.end_headers()

    listener.say = answer_late
    first = threading.Thread(target=_call, args=(endpoint,))
    first.start()
    assert held.wait(10)
    assert call_endpoint(endpoint.pk, at=timezone.now()) == 0
    assert announce_calls(at=timezone.now()) == 0
    released.set()
    first.join()

    assert len(listener.calls) == 1
    assert states() == [("delivered", 1, 204, "")]


def _call(endpoint):
    from django.db import connection

    try:
        call_endpoint(endpoint.pk, at=timezone.now())
    finally:
        connection.close()


def test_a_program_whose_account_is_closed_is_told_nothing(delivery, endpoint, listener, account):
    User.objects.filter(pk=account.pk).update(is_active=False)

    call_endpoint(endpoint.pk, at=timezone.now())

    assert not listener.calls
