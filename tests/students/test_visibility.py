"""Who sees which students, and who changes them."""

import pytest

from accounts.roles import Role, ScopeKind
from core.visibility import visible
from students.models import ProgramEnrollment, Student, StudentStatusEvent
from students.services import change_status
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory
from tests.students.test_api import LIST, NOON, PROGRAMS, url_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def student():
    """A student with a program and a history."""
    enrollment = ProgramEnrollmentFactory(is_primary=True)
    change_status(enrollment.student, status="suspended", by=None, at=NOON)
    return enrollment.student


def scoped(role, kind):
    """Return a function that makes a user whose role covers a student by their department, program or person."""
    units = {
        ScopeKind.INSTITUTION: lambda student: None,
        ScopeKind.DEPARTMENT: lambda student: student.department_id,
        ScopeKind.PROGRAM: lambda student: student.program_enrollments.get().program_id,
        ScopeKind.SELF: lambda student: None,
    }
    return lambda user_with, student: user_with(role, kind, units[kind](student))


def the_advisor(user_with, student):
    advisor = PersonFactory()
    Student.objects.filter(pk=student.pk).update(advisor=advisor)
    return user_with(Role.ADVISOR, ScopeKind.SELF, person=advisor)


def the_student(user_with, student):
    return user_with(Role.STUDENT, ScopeKind.SELF, person=student.person)


SEERS = {
    "a registrar": scoped(Role.REGISTRAR, ScopeKind.INSTITUTION),
    "an auditor": scoped(Role.AUDITOR, ScopeKind.INSTITUTION),
    "the head of the department": scoped(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT),
    "the coordinator of the program": scoped(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM),
    "the advisor": the_advisor,
    "the student": the_student,
}


@pytest.mark.parametrize("who", SEERS)
def test_whoever_has_to_do_with_a_student_sees_them_whole(user_with, client_for, student, who):
    client = client_for(SEERS[who](user_with, student))

    listed = client.get(LIST).json()["data"]
    answers = [client.get(url_of(student, *rest)) for rest in ([], ["program-enrollments"], ["status-history"])]

    assert [row["id"] for row in listed] == [str(student.pk)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all(answer.json()["data"] for answer in answers)


STRANGERS = {
    "the head of another department": lambda user_with: user_with(
        Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, DepartmentFactory().pk
    ),
    "the coordinator of another program": lambda user_with: user_with(
        Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, ProgramFactory().pk
    ),
    "another student": lambda user_with: user_with(Role.STUDENT, ScopeKind.SELF, person=StudentFactory().person),
    "somebody else's advisor": lambda user_with: user_with(Role.ADVISOR, ScopeKind.SELF),
}


@pytest.mark.parametrize("who", STRANGERS)
def test_to_a_stranger_a_student_does_not_exist(user_with, client_for, student, who):
    client = client_for(STRANGERS[who](user_with))

    assert str(student.pk) not in [row["id"] for row in client.get(LIST).json()["data"]]
    for rest in ([], ["program-enrollments"], ["status-history"]):
        response = client.get(url_of(student, *rest))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_whose_role_says_nothing_of_students_is_turned_away(user_with, client_for, student):
    response = client_for(user_with(Role.FACILITIES_MANAGER)).get(LIST)

    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_a_head_sees_the_students_below_their_department(user_with, client_for):
    college = DepartmentFactory()
    student = StudentFactory(department__parent=college)
    StudentFactory()
    client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, college.pk))

    assert [row["id"] for row in client.get(LIST).json()["data"]] == [str(student.pk)]


def test_one_seen_for_two_reasons_is_listed_once(user_with, client_for, student):
    head = user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, student.department_id)
    Student.objects.update(advisor=head.person)

    assert len(client_for(head).get(LIST).json()["data"]) == 1


@pytest.mark.parametrize("who", ["an auditor", "the head of the department", "the advisor", "the student"])
def test_seeing_is_not_changing(user_with, client_for, student, who):
    client = client_for(SEERS[who](user_with, student))
    enrollment = student.program_enrollments.get()

    answers = [
        client.patch(url_of(student), {"last_name": "Changed"}, format="json"),
        client.delete(url_of(student)),
        client.post(url_of(student, "change-status"), {"status": "active"}, format="json"),
        client.post(LIST, {"last_name": "New", "department": student.department_id}, format="json"),
        client.patch(f"{PROGRAMS}{enrollment.pk}/", {"cohort": "1"}, format="json"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert (Student.objects.count(), StudentStatusEvent.objects.count()) == (1, 1)
    assert Student.objects.get().person.last_name != "Changed"


class TestARegistrarOfOneDepartment:
    @pytest.fixture(autouse=True)
    def registrar_of(self, user_with, client_for, student):
        self.mine = student
        self.other = StudentFactory()
        self.user = user_with(Role.REGISTRAR, ScopeKind.DEPARTMENT, student.department_id)
        self.client = client_for(self.user)

    def test_changes_the_students_of_it(self):
        assert self.client.patch(url_of(self.mine), {"last_name": "Changed"}, format="json").status_code == 200

    def test_records_students_in_it_only(self):
        mine, other = (
            self.client.post(LIST, {"last_name": "New", "department": department}, format="json")
            for department in (self.mine.department_id, self.other.department_id)
        )

        assert (mine.status_code, other.status_code, other.json()["code"]) == (201, 403, "out_of_scope")
        assert Student.objects.filter(person__last_name="New").count() == 1

    def test_does_not_hand_a_student_to_another(self):
        response = self.client.patch(url_of(self.mine), {"department": self.other.department_id}, format="json")

        assert (response.status_code, response.json()["code"]) == (403, "out_of_scope")
        assert Student.objects.get(pk=self.mine.pk).department_id == self.mine.department_id

    def test_cannot_enrol_the_students_of_another(self):
        body = {"student": self.other.pk, "program": ProgramFactory().pk}

        response = self.client.post(PROGRAMS, body, format="json")

        assert (response.status_code, response.json()["code"]) == (400, "does_not_exist")
        assert not self.other.program_enrollments.exists()

    def test_manages_the_programs_of_the_students_of_it_only(self):
        foreign = ProgramEnrollmentFactory()

        managed = visible(ProgramEnrollment.objects.all(), self.user, to="manage")

        assert list(managed) == [self.mine.program_enrollments.get()]
        assert foreign not in managed


def test_a_history_is_seen_by_those_who_see_the_student_only(user_with, student):
    stranger = user_with(Role.ADVISOR, ScopeKind.SELF)

    assert not visible(StudentStatusEvent.objects.all(), stranger).exists()
    assert visible(StudentStatusEvent.objects.all(), the_student(user_with, student)).exists()


def test_who_studies_and_teaches_sees_the_history_of_themselves_alone(user_with, client_for, student):
    me = ProgramEnrollmentFactory(is_primary=True).student
    change_status(me, status="suspended", by=None, at=NOON)
    user = user_with(Role.STUDENT, ScopeKind.SELF, person=me.person)
    RoleAssignmentFactory(user=user, role=Role.FACULTY, scope_kind=ScopeKind.SELF)
    taught = SectionInstructorFactory(faculty__person=me.person).section
    EnrollmentFactory(student=student, section=taught)
    client = client_for(user)

    assert client.get(url_of(student)).status_code == 200
    for rest in ("program-enrollments", "status-history"):
        assert client.get(url_of(student, rest)).json()["data"] == []
        assert len(client.get(url_of(me, rest)).json()["data"]) == 1
    assert [row["student"]["id"] for row in client.get(PROGRAMS).json()["data"]] == [str(me.pk)]
