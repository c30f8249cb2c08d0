"""What happened on a sheet, for those who settle doubts about it: each step, by whom, and why."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from audit.models import Disclosure
from tests.attendance.factories import ClassSessionFactory, ExcuseRequestFactory
from tests.attendance.test_marking import classroom, mark, put, url
from tests.enrollment.factories import EnrollmentFactory

__all__ = ["classroom"]
pytestmark = pytest.mark.django_db
WHY = "Read from the wrong line"


@pytest.fixture
def office(user_with, client_for):
    return client_for(user_with(Role.EXAM_CONTROLLER, "institution"))


def history(client, session):
    answer = client.get(url(session, "history"))
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]


def told(step):
    return step and (step["code"], step["marked_from"])


@pytest.mark.django_db(transaction=True)
def test_the_examination_office_is_told_who_marked_whom_what_was_there_before_and_why(classroom, office):
    session, ada = classroom.lesson, classroom.class_[0]
    put(classroom, mark(ada, "absent"))
    classroom.post(url(session, "close"))
    classroom.post(url(session, "open"), {"reason": WHY}, format="json")
    put(classroom, mark(ada, "late", minutes_late=7))
    before = Disclosure.objects.filter(what="attendance history").count()

    found = history(office, session)

    teacher = classroom.get("/api/v1/auth/me/").json()["data"]
    assert [(told(each["before"]), told(each["after"]), each["reason"]) for each in found["marks"]] == [
        (("absent", "manual"), ("late", "manual"), WHY), (None, ("absent", "manual"), ""),
    ]  # fmt: skip
    assert found["marks"][0]["after"] == {
        "code": "late", "minutes_late": 7, "marked_from": "manual", "marked_by": teacher["id"],
    }  # fmt: skip
    assert {each["actor"]["id"] for each in found["marks"]} == {teacher["id"]}
    assert {each["student"]["id"] for each in found["marks"]} == {str(ada.student_id)}
    assert [(each["changes"].get("marking"), each["reason"]) for each in found["steps"][:-1]] == [
        (["closed", "open"], WHY), (["open", "closed"], ""), (["scheduled", "open"], ""),
    ]  # fmt: skip
    assert (found["steps"][-1]["changes"], found["steps"][-1]["actor"]) == ({}, None)
    assert Disclosure.objects.filter(what="attendance history").count() == before + 1
    assert Disclosure.objects.filter(what="attendance history").latest("id").subject_id == ada.student.person_id


@pytest.mark.django_db(transaction=True)
def test_a_mark_that_was_taken_away_stays_in_the_history(classroom, office):
    session, ada = classroom.lesson, classroom.class_[0]
    excuse = ExcuseRequestFactory(student=ada.student)
    now = timezone.now()
    services.approve_excuse(excuse, by=None, at=now)
    services.revoke_excuse(excuse, by=None, at=now)

    marks = history(office, session)["marks"]

    assert [(told(each["before"]), told(each["after"])) for each in marks] == [
        (("excused", "excuse"), None), (None, ("excused", "excuse")),
    ]  # fmt: skip
    assert {each["enrollment"] for each in marks} == {str(ada.pk)}


def test_why_a_class_was_cancelled_is_told(classroom, office, registrar_client):
    registrar_client.post(url(classroom.lesson, "cancel"), {"reason": "The heating is broken"}, format="json")

    step = history(office, classroom.lesson)["steps"][0]

    assert (step["changes"], step["reason"]) == ({"status": ["scheduled", "cancelled"]}, "The heating is broken")


@pytest.mark.checklist(13)
def test_whoever_teaches_is_a_party_and_units_end_where_they_end(classroom, user_with, client_for):
    session = classroom.lesson
    put(classroom, default="present")
    course = session.section.course
    head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, course.department_id))
    student = client_for(user_with(Role.STUDENT, "self", person=classroom.class_[0].student.person))

    assert len(history(head, session)["marks"]) == 3
    assert head.get(url(ClassSessionFactory(), "history")).status_code == 404
    assert classroom.get(url(session, "history")).status_code == 403
    assert student.get(url(session, "history")).status_code == 403
    refused = head.get(f"{url(session, 'history')}?student=x")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")


def test_thirty_students_cost_as_many_statements_as_three(classroom, office):
    put(classroom, default="present")
    with CaptureQueriesContext(connection) as few:
        history(office, classroom.lesson)
    for _ in range(27):
        EnrollmentFactory(section=classroom.lesson.section)
    put(classroom, default="absent")

    with CaptureQueriesContext(connection) as many:
        assert len(history(office, classroom.lesson)["marks"]) == 33

    assert len(many) <= len(few)


def test_rosters_and_records_name_the_account_that_marked(classroom):
    put(classroom, mark(classroom.class_[0], "absent"))
    teacher = classroom.get("/api/v1/auth/me/").json()["data"]["id"]

    entries = classroom.get(url(classroom.lesson)).json()["data"]["entries"]
    (record,) = classroom.get("/api/v1/attendance/records/").json()["data"]

    assert sorted([each["marked_by"] or "" for each in entries]) == ["", "", teacher]
    assert record["marked_by"] == teacher
