"""Lists of an examination tell apart who has left the section, and what marks have overtaken since it was decided."""

import csv

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from enrollment import services as registration
from tests.attendance.factories import AttendancePolicyFactory, ClassSessionFactory
from tests.attendance.test_standings import NOW, WEEK, marked, term_of
from tests.courses.factories import SectionFactory
from tests.departments.factories import TermFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
DECISIONS = "/api/v1/attendance/decisions/"
PAGE = reverse("admin:attendance_attendancesummary_changelist")


@pytest.fixture
def section():
    return SectionFactory(term=TermFactory(state="in_progress"))


def student_of(section, marks, **values):
    student = EnrollmentFactory(section=section, enrolled_at=None, **values)
    term_of(student, marks)
    return student


def decide(section, at=NOW):
    services.decide_eligibility([section.pk], by=None, at=at)


def listed(client, question=""):
    answer = client.get(f"{DECISIONS}?{question}")
    assert answer.status_code == 200, answer.json()
    return {row["enrollment"]: (row["status"], row["is_outdated"]) for row in answer.json()["data"]}


def test_who_has_left_is_told_apart_on_the_list_of_the_admitted(section, registrar_client):
    stays, leaves = student_of(section, "pppp"), EnrollmentFactory(section=section, enrolled_at=None)
    decide(section)
    registration.withdraw(leaves, by=None, at=timezone.now())
    admitted = f"section={section.pk}&is_current=true&outcome=eligible,condoned"

    assert {pk: status for pk, (status, _) in listed(registrar_client, admitted).items()} == {
        str(stays.pk): "enrolled", str(leaves.pk): "withdrawn",
    }  # fmt: skip
    assert set(listed(registrar_client, f"{admitted}&status=enrolled,completed")) == {str(stays.pk)}
    assert registrar_client.get(f"{DECISIONS}?status=gone").status_code == 400


def test_a_table_of_decisions_says_who_has_left_and_is_sent_again_when_somebody_does(section, registrar_client):
    leaves = EnrollmentFactory(section=section, enrolled_at=None)
    decide(section)
    url = f"{DECISIONS}export/?section={section.pk}"
    tag = registrar_client.get(url)["ETag"]
    registration.withdraw(leaves, by=None, at=timezone.now())

    answer = registrar_client.get(url, headers={"If-None-Match": tag})

    (row,) = csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines())
    assert row["status"] == "withdrawn"
    assert registrar_client.get(f"{url}&status=enrolled").getvalue().decode("utf-8-sig").count("\n") == 1


def test_marks_that_come_to_something_else_make_a_current_decision_outdated(section, registrar_client):
    student, other = student_of(section, "aa"), student_of(section, "pp")
    decide(section)
    assert {outdated for _, outdated in listed(registrar_client).values()} == {False}

    marked(ClassSessionFactory(section=section, starts_at=NOW - WEEK / 2), student, "p")

    assert listed(registrar_client, "is_outdated=true") == {str(student.pk): ("enrolled", True)}
    assert set(listed(registrar_client, "is_outdated=false")) == {str(other.pk)}
    (line,) = registrar_client.get(f"/api/v1/students/{student.student_id}/attendance/").json()["data"]["sections"]
    assert line["decision"]["is_outdated"] is True
    decide(section)
    assert not listed(registrar_client, "is_outdated=true")
    former = student.eligibility_decisions.exclude(superseded_at=None).get()
    detail = registrar_client.get(f"{DECISIONS}{former.pk}/").json()["data"]
    assert (detail["is_outdated"], detail["superseded_at"] is not None) == (False, True)


@pytest.mark.parametrize(("values", "code"), [({"basis": "aggregate"}, "p"), ({"late_weight": "0.5"}, "e")])
def test_it_is_outdated_by_the_rule_that_decided(registrar_client, section, values, code):
    """Another course counts where courses are taken together, what is exempt does, and lates as the policy says."""
    AttendancePolicyFactory(**values)
    student = student_of(section, "plpa")
    other = student_of(SectionFactory(term=section.term), "pa", student=student.student)
    decide(section)
    assert listed(registrar_client, f"section={section.pk}&is_outdated=true") == {}

    further = other if "basis" in values else student
    marked(ClassSessionFactory(section=further.section, starts_at=NOW - WEEK / 2), further, code)

    assert set(listed(registrar_client, f"section={section.pk}&is_outdated=true")) == {str(student.pk)}


def test_nobody_who_was_never_marked_is_outdated(section, registrar_client):
    EnrollmentFactory(section=section, enrolled_at=None)
    decide(section)

    assert listed(registrar_client, "is_outdated=true") == {}


def test_the_page_of_shortages_and_its_chart_are_of_those_who_are_there(section, client, user_with):
    student_of(section, "aaap")
    leaves = student_of(section, "aaaa")
    registration.withdraw(leaves, by=None, at=timezone.now())
    client.force_login(user_with(Role.REGISTRAR, "institution", is_staff=True))

    def shown(question=""):
        page = client.get(f"{PAGE}{question}")
        assert page.status_code == 200
        return page.context_data["chart"]["total"], str(leaves.student) in page.content.decode()

    assert shown() == shown("?enrolment=enrolled") == shown("?enrolment=nonsense") == (1, False)
    assert shown("?enrolment=withdrawn") == (1, True)
    assert shown("?enrolment=all") == (2, True)
    department = section.course.department_id
    assert shown(f"?enrolment=all&section__course__department__id__exact={department}") == (2, True)
    assert "Withdrawn" in client.get(f"{PAGE}?enrolment=all").content.decode()
