"""Seats are for people: how often one account may write enrolments."""

from collections import Counter

import pytest

from core.ids import new_id
from enrollment.models import Enrollment
from tests.courses.factories import SectionFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(81)]

LIST = "/api/v1/enrollments/"


def body_of(section, student):
    return {"student": str(student.pk), "section": str(section.pk)}


def test_a_student_who_enrols_as_fast_as_a_machine_is_held_up_and_told_for_how_long(limits, ada):
    limits(enrollment=2)
    sections = SectionFactory.create_batch(3)

    answers = [ada.post(LIST, body_of(section, ada.student)) for section in sections]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[-1].json()["code"] == "throttled"
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[0]["RateLimit-Policy"] == '"enrollment";q=2;w=1000000'
    assert Enrollment.objects.count() == 2


def test_every_way_to_write_spends_of_the_same(limits, ada):
    limits(enrollment=6)
    mine, nothing = EnrollmentFactory(student=ada.student), {"items": [{"id": str(new_id())}]}

    ada.post(LIST, {})
    ada.post(f"{LIST}preflight/", {})
    ada.post(f"{LIST}bulk-create/", nothing, format="json")
    ada.post(f"{LIST}bulk-delete/", nothing, format="json")
    ada.patch(f"{LIST}{new_id()}/", {})
    ada.post(f"{LIST}{new_id()}/withdraw/", {})
    refused = ada.delete(f"{LIST}{mine.pk}/")

    assert refused.status_code == 429
    assert Enrollment.objects.get().status == "enrolled"


def test_reading_and_other_accounts_are_not_held_up(limits, ada, registrar_client):
    limits(enrollment=1)
    section = SectionFactory()
    registrar_client.post(LIST, {})

    assert registrar_client.post(LIST, {}).status_code == 429
    assert registrar_client.get(LIST).status_code == 200
    assert ada.post(LIST, body_of(section, ada.student)).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_no_number_of_sessions_at_once_gets_one_write_more(limits, registrar, client_for):
    limits(enrollment=3)
    section = SectionFactory()
    callers = [(client_for(registrar), StudentFactory()) for _ in range(8)]

    outcomes = at_once(
        *[lambda client=client, student=student: client.post(LIST, body_of(section, student)).status_code
          for client, student in callers]
    )  # fmt: skip

    assert Counter(outcomes) == {201: 3, 429: 5}
    assert Enrollment.objects.count() == 3
