"""The least valid notifications, and what people choose about them."""

from datetime import time

import factory
from django.utils import timezone

from core.ids import new_id
from notifications.models import (
    DeliveryAttempt,
    Notification,
    Preference,
    QuietHours,
    WebhookDelivery,
    WebhookEndpoint,
)
from notifications.signing import new_secret
from tests.accounts.factories import UserFactory
from tests.courses.factories import SectionFactory


class NotificationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Notification

    recipient = factory.SubFactory(UserFactory)
    topic = "attendance.shortage"
    title = "Your attendance falls short"
    dedupe_key = factory.Sequence(lambda n: f"crossing {n}")


class DeliveryAttemptFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DeliveryAttempt

    notification = factory.SubFactory(NotificationFactory)
    channel = "email"
    due_at = factory.LazyFunction(timezone.now)


class PreferenceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Preference

    user = factory.SubFactory(UserFactory)
    topic = "attendance.shortage"
    channel = "email"
    is_enabled = True


class QuietHoursFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = QuietHours

    user = factory.SubFactory(UserFactory)
    starts_at = time(22)
    ends_at = time(7)
    time_zone = "Europe/Vienna"


class WebhookEndpointFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = WebhookEndpoint

    owner = factory.SubFactory(UserFactory)
    url = "https://hooks.example.org/campus"
    topics = ("courses.section.cancelled",)
    secret = factory.LazyFunction(new_secret)


class WebhookDeliveryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = WebhookDelivery

    endpoint = factory.SubFactory(WebhookEndpointFactory)
    message_id = factory.LazyFunction(new_id)
    topic = "courses.section.cancelled"
    payload = factory.LazyFunction(lambda: {"section_id": str(SectionFactory().pk)})
    due_at = factory.LazyFunction(timezone.now)
