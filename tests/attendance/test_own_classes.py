"""Whoever takes a class settles neither that they were there nor that it took place, however they could."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from attendance.models import AttendanceRecord, CheckInEvent, ClassSession
from tests.accounts.factories import RoleAssignmentFactory
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.attendance.test_check_ins import comes, hall, opened
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import StudentFactory

__all__ = ["hall"]
pytestmark = pytest.mark.django_db
FORBIDDEN = (403, "self_marking")
LATER = {"starts_at": "2026-10-13T07:00:00Z", "ends_at": "2026-10-13T08:00:00Z"}


@pytest.fixture
def assistant(user_with, client_for):
    """The client of an assistant who takes the section as well, in a class that begins now."""
    usual_codes()
    taught = SectionInstructorFactory(role="ta")
    user = user_with(Role.FACULTY, "self", person=taught.faculty.person, is_staff=True)
    RoleAssignmentFactory(user=user, role=Role.STUDENT, scope_kind="self")
    own = EnrollmentFactory(section=taught.section, student=StudentFactory(person=taught.faculty.person))
    client = client_for(user)
    client.user, client.own, client.section = user, own, taught.section
    client.lesson = ClassSessionFactory(section=taught.section, starts_at=timezone.now())
    client.page = f"/api/v1/attendance/sessions/{client.lesson.pk}/"
    return client


@pytest.fixture
def head(user_with, client_for):
    """The client of the head of a department who is enrolled in a section of it, and was absent from a class."""
    codes = usual_codes()
    taught = SectionInstructorFactory()
    user = user_with(Role.DEPARTMENT_HEAD, "department", taught.section.course.department_id)
    own = EnrollmentFactory(section=taught.section, student=StudentFactory(person=user.person))
    client = client_for(user)
    client.lesson = ClassSessionFactory(section=taught.section)
    client.mark = AttendanceRecordFactory(session=client.lesson, enrollment=own, code=codes.absent)
    client.own = own
    return client


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def step(client, verb, session=None, **body):
    session = session or client.lesson
    return client.post(f"/api/v1/attendance/sessions/{session.pk}/{verb}/", body, format="json")


def test_who_teaches_and_takes_a_section_does_not_open_its_check_in_nor_see_its_code(assistant):
    assert refusal(step(assistant, "check-in/open")) == FORBIDDEN
    services.open_check_in(assistant.lesson, by=None, at=timezone.now())

    assert refusal(assistant.get(f"{assistant.page}check-in/token/")) == FORBIDDEN
    assert not AttendanceRecord.objects.exists()


def test_who_could_have_shown_themselves_the_code_is_not_let_in_by_it_and_the_attempt_is_kept(assistant, user_with):
    now = timezone.now()
    services.open_check_in(assistant.lesson, by=None, at=now)
    shown = services.poster(assistant.lesson, by=None, at=now).token.token
    classmate = EnrollmentFactory(section=assistant.section)

    answer = step(assistant, "check-in", token=shown, device_key="a telephone of my own")
    other = services.check_in(
        assistant.lesson, services.Attempt(token=shown, device_key="the telephone of another"),
        by=user_with(Role.STUDENT, person=classmate.student.person), at=now,
    )  # fmt: skip

    assert refusal(answer) == FORBIDDEN
    assert other.outcome == "accepted"
    assert set(CheckInEvent.objects.values_list("student", "outcome")) == {
        (assistant.own.student_id, "self_marking"), (classmate.student_id, "accepted"),
    }  # fmt: skip
    assert AttendanceRecord.objects.get().enrollment == classmate


def test_who_teaches_elsewhere_checks_in_to_what_they_take(hall):
    SectionInstructorFactory(faculty__person=hall.students[0].person)
    RoleAssignmentFactory(user=hall.students[0], role=Role.FACULTY, scope_kind="self")
    opened(hall)

    assert comes(hall, 0) == "accepted"


def test_the_page_for_the_wall_shows_whoever_takes_the_class_no_code(assistant, client):
    services.open_check_in(assistant.lesson, by=None, at=timezone.now())
    client.force_login(assistant.user)

    pages = [
        client.get(reverse(f"admin:attendance_roster_{name}", args=[assistant.lesson.pk]))
        for name in ("check_in", "code")
    ]
    posted = client.post(reverse("admin:attendance_roster_check_in", args=[assistant.lesson.pk]),
                         {"step": "open", "minutes": 15, "networks": ""})  # fmt: skip

    assert [page.status_code for page in (*pages, posted)] == [403, 403, 403]


def test_nobody_cancels_moves_or_brings_back_a_class_of_a_section_they_take(head):
    cancelled = ClassSessionFactory(section=head.lesson.section, status="cancelled")

    answers = [
        step(head, "cancel", reason="Nobody came"),
        step(head, "reschedule", **LATER),
        step(head, "reinstate", cancelled, reason="By mistake"),
    ]

    assert [refusal(answer) for answer in answers] == [FORBIDDEN] * 3
    assert set(ClassSession.objects.values_list("pk", "status")) == {
        (head.lesson.pk, "scheduled"), (cancelled.pk, "cancelled"),
    }  # fmt: skip


def test_nobody_moves_a_class_that_gathers_with_one_they_take(head):
    together = ClassSessionFactory(gathering=head.lesson.gathering, section__course=head.lesson.section.course)
    head.mark.delete()

    assert refusal(step(head, "reschedule", together, **LATER)) == FORBIDDEN


def test_who_had_left_before_a_class_does_not_take_it_and_who_left_later_did(head):
    head.own.status, head.own.dropped_at = "dropped", head.lesson.starts_at
    head.own.save()
    assert step(head, "cancel", reason="The heating is broken").status_code == 200
    ClassSession.objects.update(status="scheduled")

    head.own.dropped_at = timezone.now()
    head.own.save()
    assert refusal(step(head, "cancel", reason="The heating is broken")) == FORBIDDEN
