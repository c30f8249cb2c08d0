"""The administration page on which shortages are condoned: who may, why, and what it says of those that may not be."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from attendance.models import EligibilityDecision
from audit.models import Disclosure
from tests.attendance.factories import EligibilityDecisionFactory

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:attendance_eligibilitydecision_changelist")


@pytest.fixture
def office(user_with):
    client = Client()
    client.force_login(user_with(Role.EXAM_CONTROLLER, "institution", is_staff=True))
    return client


def take(client, action, *decisions, **more):
    return client.post(PAGE, {"action": action, "_selected_action": [row.pk for row in decisions], **more}, follow=True)


def test_a_shortage_is_condoned_with_a_reason_and_what_is_too_great_is_named(office):
    short, great = EligibilityDecisionFactory(), EligibilityDecisionFactory(attended=1, outcome="not_eligible")

    asked = take(office, "condone", short, great).content.decode()
    assert str(short.enrollment.student) in asked
    assert "reason-form" in asked
    empty = take(office, "condone", short, great, confirmed="1", reason=" ").content.decode()
    assert "This field is required." in empty
    assert EligibilityDecision.objects.count() == 2
    done = take(office, "condone", short, great, confirmed="1", reason="Was ill", note="Letter").content.decode()

    assert "less than what the policy lets anybody condone" in done
    condoned = EligibilityDecision.objects.current().get(outcome="condoned")
    assert (condoned.enrollment, condoned.reason, condoned.note) == (short.enrollment, "Was ill", "Letter")
    assert Disclosure.objects.filter(what="attendance").exists()
    detail = office.get(reverse("admin:attendance_eligibilitydecision_change", args=[condoned.pk])).content.decode()
    assert "Was ill" in detail
    take(office, "withdraw", condoned, confirmed="1", reason="Forged")
    assert EligibilityDecision.objects.current().get(enrollment=short.enrollment).outcome == "short"


def test_the_list_is_narrowed_and_who_does_not_decide_reads_no_reason_and_condones_nothing(office, user_with):
    old = EligibilityDecisionFactory(reason="Was in hospital", superseded_at="2026-11-20T12:00:00Z")
    other = EligibilityDecisionFactory(outcome="eligible", attended=9)
    reader = Client()
    reader.force_login(user_with(Role.AUDITOR, "institution", is_staff=True))

    for question in (
        "outcome__exact=eligible",
        "superseded_at__isnull=True",
        f"q={other.enrollment.student.student_no}",
    ):
        shown = office.get(f"{PAGE}?{question}").content.decode()
        assert (str(other.enrollment.student) in shown, str(old.enrollment.student) in shown) == (True, False)
    detail = reverse("admin:attendance_eligibilitydecision_change", args=[old.pk])
    assert "Was in hospital" in office.get(detail).content.decode()
    read = reader.get(detail)
    assert (read.status_code, "Was in hospital" in read.content.decode()) == (200, False)
    take(reader, "condone", other, confirmed="1", reason="x")
    assert EligibilityDecision.objects.count() == 2
