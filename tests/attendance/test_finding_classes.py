"""Classes are found by who teaches and who attends them, and pages begin with those that are to be marked."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from attendance.models import ClassSession
from tests.accounts.factories import UserFactory
from tests.attendance.factories import (
    AttendanceRecordFactory,
    ClassSessionFactory,
    SubstitutionFactory,
    usual_codes,
)
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/sessions/"
DAY = timedelta(days=1)
NOBODY = "01955500-0000-7000-8000-000000000001"


def found(client, **question):
    answer = client.get(LIST, question)
    assert answer.status_code == 200, answer.json()
    return {row["id"] for row in answer.json()["data"]}


def ids(*sessions):
    return {str(session.pk) for session in sessions}


def test_the_classes_of_a_teacher_are_those_they_hold(registrar_client):
    taught, colleague = SectionInstructorFactory(), FacultyFactory()
    own, handed_over = (ClassSessionFactory(section=taught.section) for _ in range(2))
    ClassSessionFactory()
    SubstitutionFactory(session=own, instructor=taught.faculty, substitute=colleague)
    SubstitutionFactory(session=handed_over, instructor=taught.faculty, substitute=colleague, status="accepted")
    ClassSession.objects.filter(pk=handed_over.pk).update(substitute=colleague)

    assert found(registrar_client, instructor=taught.faculty.pk) == ids(own)
    assert found(registrar_client, instructor=colleague.pk) == ids(handed_over)
    assert found(registrar_client, instructor=NOBODY) == set()
    assert registrar_client.get(f"{LIST}?instructor=me").status_code == 400


def test_the_classes_of_a_student_are_those_they_are_expected_in(registrar_client):
    now = timezone.now()
    own = EnrollmentFactory(enrolled_at=now - 5 * DAY, status="withdrawn", dropped_at=now - DAY / 2)
    pending = EnrollmentFactory(student=own.student, status="pending", enrolled_at=None)
    before, during, _ = (ClassSessionFactory(section=own.section, starts_at=now - ago * DAY) for ago in (9, 2, 0))
    ClassSessionFactory(section=pending.section, starts_at=now - DAY)

    assert found(registrar_client, student=own.student_id) == ids(during)
    assert before.pk


def test_nobody_learns_by_them_who_sits_in_which_class(user_with, client_for):
    other, own = EnrollmentFactory(enrolled_at=None), EnrollmentFactory(enrolled_at=None)
    theirs, mine = (ClassSessionFactory(section=row.section) for row in (other, own))
    student = client_for(user_with(Role.STUDENT, "self", person=own.student.person))

    assert found(student) == ids(theirs, mine)
    assert found(student, student=own.student_id) == ids(mine)
    assert found(student, student=other.student_id) == set()


def test_marks_are_narrowed_to_a_term(registrar_client):
    usual_codes()
    record = AttendanceRecordFactory()
    AttendanceRecordFactory()
    url = "/api/v1/attendance/records/"

    (row,) = registrar_client.get(url, {"term": record.section.term_id}).json()["data"]
    assert row["id"] == str(record.pk)
    assert registrar_client.get(url, {"term": TermFactory().pk}).json()["data"] == []


def test_rosters_begin_with_the_class_of_today(client, user_with):
    today = timezone.localdate()
    of_days = {
        days: ClassSessionFactory(starts_at=timezone.now() + days * DAY, local_date=today + days * DAY)
        for days in (-1, 0, 1)
    }
    client.force_login(user_with(Role.REGISTRAR, "institution", is_staff=True))
    page = reverse("admin:attendance_roster_changelist")

    def shown(question=""):
        answer = client.get(f"{page}{question}")
        assert answer.status_code == 200
        rows = {row.pk for row in answer.context_data["cl"].result_list}
        return [days for days in (1, 0, -1) if of_days[days].pk in rows]

    assert shown() == shown("?day=whenever") == [0, -1]
    assert shown("?day=to_come") == [1]
    assert shown("?day=all") == [1, 0, -1]
    assert shown(f"?local_date__gte={today + DAY}&local_date__lt={today + 2 * DAY}") == [1]


def test_the_form_of_a_reader_asks_for_rooms_and_accounts_as_they_are_typed(client, user_with):
    for _ in range(30):
        UserFactory()
    RoomFactory()
    client.force_login(user_with(Role.REGISTRAR, "institution", is_staff=True))

    page = client.get(reverse("admin:attendance_reader_add")).content.decode()

    assert page.count("<option") < 10
    assert page.count("data-ajax--url") == 2
