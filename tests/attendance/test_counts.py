"""How many are marked with what: beside each session, for those who may see its sheet, and without reading months."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import AttendanceRecord, ClassSession, SessionStatus
from tests.accounts.keys import bare_key, caller, program
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, SubstitutionFactory, usual_codes
from tests.courses.factories import SectionFactory, SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/sessions/"
WEEK = timedelta(weeks=1)
EACH = {"present": 2, "late": 1, "unmarked": 1}


@pytest.fixture
def section():
    """A section with four students, three of whom are marked in each of two classes; one left before both."""
    section, codes = SectionFactory(), usual_codes()
    class_ = [EnrollmentFactory(section=section) for _ in range(4)]
    now = timezone.now()
    EnrollmentFactory(section=section, status="withdrawn", dropped_at=now - 9 * WEEK)
    EnrollmentFactory(section=section, status="pending")
    for starts_at in (now - WEEK, now - 6 * WEEK):
        session = ClassSessionFactory(section=section, starts_at=starts_at)
        for row, code in zip(class_, (codes.present, codes.present, codes.late), strict=False):
            AttendanceRecordFactory(session=session, enrollment=row, code=code)
    section.class_ = class_
    return section


def counts(client, question="", *, at=LIST):
    answer = client.get(f"{at}{question}")
    assert answer.status_code == 200, answer.json()
    data = answer.json()["data"]
    return [row["counts"] for row in data] if isinstance(data, list) else data["counts"]


def test_each_session_says_how_many_of_those_expected_are_marked_with_what(
    section, registrar_client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(3):
        assert counts(registrar_client, f"?section={section.pk}") == [EACH, EACH]
    session = ClassSession.objects.latest("starts_at")
    with django_assert_max_num_queries(3):
        assert counts(registrar_client, at=f"{LIST}{session.pk}/") == EACH
    roster = registrar_client.get(f"{LIST}{session.pk}/roster/").json()["data"]
    assert roster["counts"] | {"unmarked": roster["unmarked"]} == EACH


def test_a_class_of_which_nobody_is_marked_or_expected_says_so(registrar_client):
    ClassSessionFactory()
    row = EnrollmentFactory(section=ClassSessionFactory(starts_at=timezone.now()).section)

    assert counts(registrar_client, "?ordering=starts_at") == [{"unmarked": 0}, {"unmarked": 1}]
    assert row.section_id


def test_they_follow_marks_that_come_and_go_and_who_leaves(section, registrar_client):
    session = ClassSession.objects.latest("starts_at")

    def now():
        return counts(registrar_client, at=f"{LIST}{session.pk}/")

    services.mark_roster(session, marks=[], default="absent", by=None, at=timezone.now())
    assert now() == {"absent": 4, "unmarked": 0}
    AttendanceRecord.objects.filter(enrollment=section.class_[0]).delete()
    assert now() == {"absent": 3, "unmarked": 1}
    section.class_[1].status, section.class_[1].dropped_at = "withdrawn", session.starts_at - WEEK
    section.class_[1].save()
    assert now() == {"absent": 2, "unmarked": 1}


@pytest.mark.checklist(6)
def test_they_are_told_those_alone_who_may_see_the_sheet(section, user_with, client_for):
    first, second = ClassSession.objects.order_by("starts_at")
    ClassSession.objects.filter(pk=first.pk).update(status=SessionStatus.CANCELLED)
    stand_in = SubstitutionFactory(session=second, status="accepted").substitute
    ClassSession.objects.filter(pk=second.pk).update(substitute=stand_in)
    teaches = SectionInstructorFactory(section=section).faculty.person
    college = section.course.department_id
    third = SectionInstructorFactory(section=section, role="co", share=0).faculty.person
    took_it_back = user_with(Role.FACULTY, "self", person=third)
    took_it_back.role_assignments.update(role=Role.STUDENT)
    callers = {
        "teacher": client_for(user_with(Role.FACULTY, "self", person=teaches)),
        "head": client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, college)),
        "auditor": client_for(user_with(Role.AUDITOR, "institution")),
        "stand-in": client_for(user_with(Role.FACULTY, "self", person=stand_in.person)),
        "another teacher": client_for(user_with(Role.FACULTY, "self")),
        "student of the class": client_for(user_with(Role.STUDENT, "self", person=section.class_[0].student.person)),
        "examination office": client_for(user_with(Role.EXAM_CONTROLLER, "institution")),
        "teacher without the role": client_for(took_it_back),
    }

    seen = {name: counts(client, f"?section={section.pk}&ordering=starts_at") for name, client in callers.items()}

    assert seen == {
        "teacher": [EACH, EACH], "head": [EACH, EACH], "auditor": [EACH, EACH], "stand-in": [None, EACH],
        "another teacher": [None, None], "student of the class": [None, None], "examination office": [None, None],
        "teacher without the role": [None, None],
    }  # fmt: skip
    for name, client in callers.items():
        assert [counts(client, at=f"{LIST}{row.pk}/") for row in (first, second)] == seen[name], name
    key = bare_key(program(Role.REGISTRAR), "attendance.view_classsession")
    assert counts(caller(key), f"?section={section.pk}") == [None, None]


def test_who_opens_and_closes_a_sheet_is_told_them(section, user_with, client_for):
    teacher = client_for(
        user_with(Role.FACULTY, "self", person=SectionInstructorFactory(section=section).faculty.person)
    )
    session = ClassSession.objects.latest("starts_at")

    opened = teacher.post(f"{LIST}{session.pk}/open/").json()["data"]
    closed = teacher.post(f"{LIST}{session.pk}/close/").json()["data"]

    assert (opened["counts"], closed["counts"]) == (EACH, EACH)


@pytest.mark.checklist(6)
def test_a_key_that_may_open_sheets_and_not_see_them_is_told_none(section):
    key = bare_key(program(Role.REGISTRAR), "attendance.change_roster", "attendance.change_classsession")
    session = ClassSession.objects.latest("starts_at")

    opened = caller(key).post(f"{LIST}{session.pk}/open/")

    assert (opened.status_code, opened.json()["data"]["counts"]) == (200, None)


def test_a_page_of_two_hundred_asks_no_more_often_than_one_of_one(section, registrar_client):
    for weeks in range(2, 5):
        ClassSessionFactory(section=section, starts_at=timezone.now() - weeks * WEEK)

    def asked(size):
        with CaptureQueriesContext(connection) as queries:
            assert len(counts(registrar_client, f"?page_size={size}")) == min(size, 5)
        return len(queries)

    assert asked(1) == asked(200) <= 3
