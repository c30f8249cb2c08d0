"""What was told is forgotten after a year, is in one's export, goes with one's erasure, and has no history."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Change
from notifications.models import DeliveryAttempt, Notification, Preference, QuietHours
from notifications.services import KEPT, notifications_due, purge_notifications
from privacy.services import erase_person, place_hold, release_hold
from privacy.services.archive import write_archive
from privacy.services.subjects import subject_of
from tests.accounts.factories import PersonFactory, UserFactory
from tests.notifications.factories import (
    DeliveryAttemptFactory,
    NotificationFactory,
    PreferenceFactory,
    QuietHoursFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    person = PersonFactory()
    user = UserFactory(person=person)
    DeliveryAttemptFactory(notification__recipient=user, notification__title="Your attendance in PHY falls short")
    PreferenceFactory(user=user)
    QuietHoursFactory(user=user)
    return person


def test_a_notification_is_forgotten_after_a_year_with_its_mails(person):
    NotificationFactory()
    now = timezone.now()
    Notification.objects.filter(recipient__person=person).update(created_at=now - KEPT - timedelta(minutes=1))

    hold = place_hold(by=None, person=person, reason="A case")
    held = purge_notifications(now), notifications_due(now).count()
    release_hold(hold, by=None, at=timezone.now(), reason="Closed")

    assert held == (0, 0)
    # A notification and the attempt to mail it.
    assert purge_notifications(now) == 2
    assert Notification.objects.count() == 1
    assert not DeliveryAttempt.objects.exists()


@pytest.mark.checklist(87)
def test_an_export_says_what_one_was_told(person):
    target = io.BytesIO()

    write_archive(target, subject_of(person.pk), to_themselves=True, at=timezone.now())

    with zipfile.ZipFile(target) as archive:
        names = [name for name in archive.namelist() if name.startswith("notifications.notification")]
        text = "".join(archive.read(name).decode() for name in names)
    assert "Your attendance in PHY falls short" in text
    assert "crossing " not in text


def test_erasure_leaves_nothing(person):
    erase_person(person.pk, dry_run=False)

    for model in (Notification, DeliveryAttempt, Preference, QuietHours):
        assert not model.objects.exists(), model


def test_what_somebody_was_told_is_in_no_history(person):
    tables = set(Change.objects.values_list("table_name", flat=True))

    assert not tables & {"notifications_notification", "notifications_deliveryattempt"}
    assert {"notifications_preference", "notifications_quiethours"} <= tables
