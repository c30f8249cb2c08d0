"""Every named constraint of notifications refuses what it names, whoever writes."""

from datetime import time

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from core.db.constraints import error_for
from tests.notifications.factories import (
    DeliveryAttemptFactory,
    NotificationFactory,
    PreferenceFactory,
    QuietHoursFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)

pytestmark = pytest.mark.django_db

BROKEN = {
    "notifications_notification_once": lambda: NotificationFactory(
        recipient=(told := NotificationFactory()).recipient, dedupe_key=told.dedupe_key
    ),
    "notifications_notification_says_what": lambda: NotificationFactory(title=""),
    "notifications_notification_leads_nowhere_else": lambda: NotificationFactory(link="//evil.example"),
    "notifications_preference_one_each": lambda: PreferenceFactory(user=PreferenceFactory().user),
    "notifications_preference_known": lambda: PreferenceFactory(channel="pigeon"),
    "notifications_preference_digests_by_mail": lambda: PreferenceFactory(channel="in_app", digest="daily"),
    "notifications_quiethours_last": lambda: QuietHoursFactory(ends_at=time(22)),
    "notifications_deliveryattempt_once_each": lambda: DeliveryAttemptFactory(
        notification=DeliveryAttemptFactory().notification
    ),
    "notifications_deliveryattempt_known": lambda: DeliveryAttemptFactory(state="lost"),
    "notifications_deliveryattempt_sent_when": lambda: DeliveryAttemptFactory(state="sent"),
    "notifications_deliveryattempt_taken_up_when": lambda: DeliveryAttemptFactory(state="sending"),
    "notifications_webhookendpoint_about_something": lambda: WebhookEndpointFactory(topics=[]),
    "notifications_webhookendpoint_called_by_http": lambda: WebhookEndpointFactory(url="ftp://hooks.example.org/"),
    "notifications_webhookendpoint_disabled_when": lambda: WebhookEndpointFactory(is_enabled=False),
    "notifications_webhookendpoint_failing_since": lambda: WebhookEndpointFactory(failures=1),
    "notifications_webhookendpoint_former_until": lambda: WebhookEndpointFactory(former_secret="whsec_x"),
    "notifications_webhookdelivery_once_each": lambda: WebhookDeliveryFactory(
        endpoint=(told := WebhookDeliveryFactory()).endpoint, message_id=told.message_id
    ),
    "notifications_webhookdelivery_known": lambda: WebhookDeliveryFactory(state="lost"),
    "notifications_webhookdelivery_delivered_when": lambda: WebhookDeliveryFactory(state="delivered"),
    "notifications_webhookdelivery_taken_up_when": lambda: WebhookDeliveryFactory(state="sending"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_it_refuses_what_it_names(name):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        BROKEN[name]()

    assert refused.value.__cause__.diag.constraint_name == name
    assert error_for(refused.value) is not None


def test_each_is_tried():
    models = apps.get_app_config("notifications").get_models()

    assert {constraint.name for model in models for constraint in model._meta.constraints} == BROKEN.keys()
