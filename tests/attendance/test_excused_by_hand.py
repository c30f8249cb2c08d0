"""Nobody is excused or away on duty because who marks says so: an approved excuse does, or who may decide."""

import pytest
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import CoveredMark
from core.ids import new_id
from tests.attendance.factories import ExcuseRequestFactory
from tests.attendance.test_marking import classroom, codes_of, mark, marked, put

__all__ = ["classroom"]
pytestmark = pytest.mark.django_db
MANY = "/api/v1/attendance/sessions/bulk-mark/"
SYNC = "/api/v1/attendance/sessions/sync/"


def excursion(client, code, enrollment, **more):
    body = {"code": code, "students": [str(enrollment.student_id)], "sessions": [str(client.lesson.pk)], **more}
    return client.post(MANY, body, format="json")


def queued(client, code, enrollment):
    line = {
        "client_id": str(new_id()), "session": str(client.lesson.pk), "enrollment": str(enrollment.pk), "code": code,
        "made_at": timezone.now().isoformat(), "version": client.lesson.version,
    }  # fmt: skip
    return client.post(SYNC, {"marks": [line]}, format="json")


def excused(enrollment, kind="medical"):
    excuse = ExcuseRequestFactory(student=enrollment.student, kind=kind)
    return services.approve_excuse(excuse, by=None, at=timezone.now())


@pytest.mark.checklist(13)
@pytest.mark.parametrize("code", ["excused", "on_duty"])
def test_a_teacher_excuses_nobody_by_hand_in_whatever_way(classroom, code):
    ada, *_ = classroom.class_

    named = put(classroom, mark(ada, code), default="present")
    everybody = put(classroom, mark(ada, "present"), default=code)
    together = excursion(classroom, code, ada)
    offline = queued(classroom, code, ada)

    assert named.status_code == everybody.status_code == together.status_code == 403
    assert codes_of(named) == [("excuse_required", "marks.0.code")]
    assert named.json()["errors"][0]["meta"] == {"students": [str(ada.student_id)]}
    assert codes_of(everybody) == [("excuse_required", "default")]
    assert len(everybody.json()["errors"][0]["meta"]["students"]) == 2
    assert codes_of(together) == [("excuse_required", "sessions.0.code")]
    assert offline.json()["data"]["results"][0]["error"]["code"] == "excuse_required"
    assert marked(classroom.lesson) == {}


def test_of_many_at_once_the_others_go_on(classroom):
    answer = excursion(classroom, "on_duty", classroom.class_[0], mode="best_effort")

    assert answer.status_code == 200
    assert [error["code"] for error in answer.json()["data"]["results"][0]["errors"]] == ["excuse_required"]
    assert marked(classroom.lesson) == {}


def test_whoever_may_decide_about_the_excuses_of_a_student_marks_them_so(classroom, user_with, client_for):
    ada, grace, _ = classroom.class_
    head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, ada.student.department_id))
    taught = classroom.lesson.section.course.department_id
    both = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, taught))
    registrar = client_for(user_with(Role.REGISTRAR, "institution"))

    assert ada.student.department_id not in (grace.student.department_id, taught)
    assert head.get(f"/api/v1/attendance/sessions/{classroom.lesson.pk}/roster/").status_code == 404
    assert codes_of(put(both, mark(ada, "excused"), session=classroom.lesson)) == [("excuse_required", "marks.0.code")]
    assert put(registrar, mark(ada, "excused"), mark(grace, "on_duty"), session=classroom.lesson).status_code == 200
    assert marked(classroom.lesson) == {ada.pk: "excused", grace.pk: "on_duty"}


def test_a_sheet_is_sent_back_as_it_was_read(classroom, user_with, client_for):
    ada, grace, alan = classroom.class_
    registrar = client_for(user_with(Role.REGISTRAR, "institution"))
    put(registrar, mark(grace, "on_duty"), session=classroom.lesson)
    excused(ada)

    answer = put(classroom, mark(ada, "excused"), mark(grace, "on_duty"), mark(alan, "absent"))

    assert answer.status_code == 200, answer.json()
    assert marked(classroom.lesson) == {ada.pk: "excused", grace.pk: "on_duty", alan.pk: "absent"}


def test_an_excuse_backs_its_own_code_and_not_another_beneath_it(classroom):
    ada = classroom.class_[0]
    excused(ada)

    refused = put(classroom, mark(ada, "on_duty"))

    assert codes_of(refused) == [("excuse_required", "marks.0.code")]
    assert CoveredMark.objects.get(enrollment=ada).code is None
