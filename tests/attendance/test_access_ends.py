"""What else opens something of an account ends when its owner recovers it, or somebody ends its log-ins."""

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import User
from accounts.roles import Role
from attendance.models import CalendarFeed
from attendance.services import make_feed
from audit.models import Event
from core.relay import Relay
from notifications.models import DeliveryAttempt, Notification, WebhookDelivery, WebhookEndpoint
from tests.accounts.keys import key_of, program
from tests.accounts.mails import last_secret, send_wanted
from tests.notifications.factories import WebhookDeliveryFactory, WebhookEndpointFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(27, 35)]
BETTER = "wrong donkey charger paperclip"


@pytest.fixture
def ada(user_with):
    return user_with(Role.SYSTEM_ADMIN)


@pytest.fixture
def admin(user_with):
    return user_with(Role.SYSTEM_ADMIN)


def recover(ada, admin, client_for):
    accounts.request_password_reset(email=ada.email, at=timezone.now())
    send_wanted()
    accounts.reset_password(token=last_secret(), new_password=BETTER, at=timezone.now())


def give_another_password(ada, admin, client_for):
    accounts.update_user(ada, by=admin, password=BETTER)


def give_another_address(ada, admin, client_for):
    accounts.update_user(ada, by=admin, email="countess@example.org")


def close_and_open(ada, admin, client_for):
    accounts.update_user(ada, by=admin, is_active=False)
    accounts.update_user(ada, by=admin, is_active=True)


def take_factors(ada, admin, client_for):
    accounts.reset_factors(ada, by=admin, reason="Lost them", at=timezone.now())


def end_log_ins(ada, admin, client_for):
    assert client_for(admin).delete(f"/api/v1/users/{ada.pk}/sessions/").status_code == 204


def is_read(client, secret):
    return client.get(f"/calendars/{secret}.ics").status_code == 200


@pytest.mark.parametrize(
    "end", [recover, give_another_password, give_another_address, close_and_open, take_factors, end_log_ins]
)
def test_secrets_and_personal_webhooks_end_with_the_log_ins_and_the_owner_is_told(ada, admin, client, client_for, end):
    _, secret = make_feed(by=ada, at=timezone.now())
    waiting = WebhookDeliveryFactory(endpoint__owner=ada)
    assert is_read(client, secret)

    end(User.objects.get(pk=ada.pk), admin, client_for)
    Relay().drain()

    assert not is_read(client, secret)
    assert not CalendarFeed.objects.exists()
    assert not WebhookEndpoint.objects.get().is_enabled
    assert WebhookDelivery.objects.get(pk=waiting.pk).state == "failed"
    told = Notification.objects.filter(recipient=ada).order_by("created_at").values_list("topic", flat=True)
    assert sorted(told) == ["attendance.calendar_feed"] * 2 + ["notifications.webhook_disabled"]
    assert Event.objects.filter(action="calendar_feed.revoked").count() == 1


def test_what_was_made_afterwards_and_what_others_have_goes_on(ada, admin, client, client_for):
    endpoint = WebhookEndpointFactory(owner=(service := program(Role.INTEGRATION)))
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(api_key=key_of(service, "courses.view_section"))
    make_feed(by=admin, at=timezone.now())

    give_another_password(ada, admin, client_for)
    accounts.end_access(service.pk, at=timezone.now())
    _, secret = make_feed(by=ada, at=timezone.now())
    own = WebhookEndpointFactory(owner=ada)
    Relay().drain()

    assert is_read(client, secret)
    assert set(WebhookEndpoint.objects.filter(is_enabled=True)) == {endpoint, own}
    assert CalendarFeed.objects.count() == 2


def test_whoever_has_a_feed_made_is_mailed(ada):
    make_feed(by=ada, at=timezone.now())

    notice = Notification.objects.get()
    assert (notice.recipient, notice.topic) == (ada, "attendance.calendar_feed")
    assert DeliveryAttempt.objects.get().notification == notice
