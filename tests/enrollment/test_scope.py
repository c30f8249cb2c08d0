"""Who sees and manages which enrolments over HTTP."""

import pytest

from accounts.models import Person
from accounts.roles import Role
from courses.models import SectionInstructor
from enrollment.models import Enrollment
from enrollment.services import drop
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory
from tests.courses.factories import CourseFactory, SectionFactory
from tests.courses.http import codes, ids
from tests.departments.factories import DepartmentFactory
from tests.enrollment.factories import NOON, EnrollmentFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db

LIST = "/api/v1/enrollments/"
PREFLIGHT = f"{LIST}preflight/"


def url_of(row, *rest):
    return "/".join([f"{LIST}{row.pk}", *rest, ""])


def body_of(section, student=None, **more):
    return {"student": str((student or StudentFactory()).pk), "section": str(section.pk), **more}


class TestStudents:
    def test_a_student_enrols_and_drops_alone(self, ada):
        section = SectionFactory()

        created = ada.post(LIST, body_of(section, ada.student))
        assert created.status_code == 201, created.json()
        dropped = ada.delete(f"{LIST}{created.json()['data']['id']}/")

        assert dropped.status_code == 204

    def test_nobody_else_exists_for_a_student(self, ada):
        other = EnrollmentFactory()

        assert ids(ada.get(LIST)) == []
        assert ada.get(url_of(other)).status_code == 404
        assert ada.delete(url_of(other)).status_code == 404
        refused = ada.post(LIST, body_of(SectionFactory(), other.student))
        assert (refused.status_code, codes(refused)) == (400, [("does_not_exist", "student")])
        assert ids(ada.get(f"/api/v1/sections/{other.section_id}/roster/")) == []
        assert ada.get(f"/api/v1/students/{other.student_id}/enrollments/").status_code == 404

    def test_a_student_settles_nothing_about_the_enrolment(self, ada):
        row = EnrollmentFactory(student=ada.student)

        assert ada.patch(url_of(row), {"grade_basis": "audit"}).status_code == 403
        for action in ("complete", "confirm", "cancel"):
            assert ada.post(url_of(row, action), {}).status_code == 403
        assert ada.post(url_of(row, "withdraw"), {}).status_code == 200

    def test_a_student_who_is_in_charge_elsewhere_settles_nothing_here(self, user_with, client_for):
        student = StudentFactory()
        user = user_with(Role.STUDENT, "self", person=student.person)
        RoleAssignmentFactory(
            user=user, role=Role.DEPARTMENT_HEAD, scope_kind="department", scope_id=DepartmentFactory().pk
        )
        row = EnrollmentFactory(student=student)

        answer = client_for(user).post(url_of(row, "complete"), {"result": "distinction"})

        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
        assert client_for(user).patch(url_of(row), {"grade_basis": "audit"}).status_code == 403


class TestInstructors:
    def test_an_instructor_sees_the_enrolments_and_students_of_the_section(self, teacher):
        own = EnrollmentFactory(section=teacher.section)
        gone = EnrollmentFactory(section=teacher.section, status="dropped", dropped_at=NOON)
        other = EnrollmentFactory()

        assert set(ids(teacher.get(LIST))) == {str(own.pk), str(gone.pk)}
        assert ids(teacher.get(f"/api/v1/sections/{teacher.section.pk}/roster/")) == [str(own.pk)]
        assert ids(teacher.get(f"/api/v1/sections/{other.section_id}/roster/")) == []
        assert ids(teacher.get("/api/v1/students/")) == [str(own.student_id)]
        assert teacher.get(f"/api/v1/students/{other.student_id}/").status_code == 404

    @pytest.mark.checklist(12)
    def test_an_instructor_who_is_taken_off_the_section_sees_nothing_of_it_from_then_on(self, teacher):
        row = EnrollmentFactory(section=teacher.section)
        before = teacher.get(url_of(row)).status_code

        SectionInstructor.objects.filter(section=teacher.section).delete()

        assert (before, teacher.get(url_of(row)).status_code) == (200, 404)
        assert ids(teacher.get(LIST)) == []
        assert ids(teacher.get("/api/v1/students/")) == []

    @pytest.mark.checklist(12)
    def test_a_student_who_has_left_the_section_is_out_of_its_instructors_sight(self, teacher):
        row = EnrollmentFactory(section=teacher.section)
        url = f"/api/v1/students/{row.student_id}/"
        before = teacher.get(url).status_code

        drop(row, by=None)

        assert (before, teacher.get(url).status_code) == (200, 404)

    def test_an_instructor_changes_nothing(self, teacher):
        row = EnrollmentFactory(section=teacher.section)

        assert teacher.delete(url_of(row)).status_code == 403
        assert teacher.post(LIST, body_of(teacher.section, row.student)).status_code == 403


class TestThoseInCharge:
    def test_a_department_head_manages_the_enrolments_in_the_courses_of_the_department(self, user_with, client_for):
        department = DepartmentFactory()
        head = client_for(user_with(Role.DEPARTMENT_HEAD, "department", department.pk))
        course = CourseFactory(department=DepartmentFactory(parent=department))
        own, other = EnrollmentFactory(section__course=course), EnrollmentFactory()
        student = StudentFactory(department=department)

        assert ids(head.get(LIST)) == [str(own.pk)]
        assert head.delete(url_of(own)).status_code == 204
        assert head.delete(url_of(other)).status_code == 404
        assert head.post(LIST, body_of(SectionFactory(course=course), student)).status_code == 201
        foreign = head.post(LIST, body_of(SectionFactory(), student))
        assert (foreign.status_code, foreign.json()["code"]) == (403, "out_of_scope")
        assert Enrollment.objects.filter(student=student).count() == 1

    def test_overriding_ends_where_the_department_does(self, user_with, client_for):
        own, other = SectionFactory.create_batch(2, capacity=0)
        user = user_with(Role.REGISTRAR, "department", own.course.department_id)
        head_of = {"scope_kind": "department", "scope_id": other.course.department_id}
        RoleAssignmentFactory(user=user, role=Role.DEPARTMENT_HEAD, **head_of)
        registrar, student = client_for(user), StudentFactory(department=own.course.department)

        granted = registrar.post(LIST, body_of(own, student, override=True))
        refused = registrar.post(LIST, body_of(other, student, override=True))

        assert granted.status_code == 201, granted.json()
        assert (refused.status_code, refused.json()["code"]) == (403, "override_not_permitted")

    def test_a_coordinator_manages_the_enrolments_of_the_students_in_the_program(self, user_with, client_for):
        studies = ProgramEnrollmentFactory()
        client = client_for(user_with(Role.PROGRAM_COORDINATOR, "program", studies.program_id))
        own, other = EnrollmentFactory(student=studies.student), EnrollmentFactory()

        assert ids(client.get(LIST)) == [str(own.pk)]
        assert client.patch(url_of(own), {"grade_basis": "audit"}).status_code == 200
        assert client.patch(url_of(other), {"grade_basis": "audit"}).status_code == 404
        assert client.post(PREFLIGHT, body_of(SectionFactory(), studies.student)).status_code == 200

    def test_an_assistant_sees_the_enrolments_of_the_section_in_charge(self, user_with, client_for):
        own = EnrollmentFactory()
        EnrollmentFactory()
        client = client_for(user_with(Role.TEACHING_ASSISTANT, "section", own.section_id))

        assert ids(client.get(LIST)) == [str(own.pk)]

    def test_an_advisor_sees_the_enrolments_of_the_advisees(self, user_with, client_for):
        person = PersonFactory()
        own = EnrollmentFactory(student__advisor=person)
        EnrollmentFactory()
        client = client_for(user_with(Role.ADVISOR, "self", person=person))

        assert ids(client.get(LIST)) == [str(own.pk)]

    def test_an_auditor_sees_everything_and_changes_nothing(self, user_with, client_for):
        row = EnrollmentFactory()
        auditor = client_for(user_with(Role.AUDITOR))

        assert ids(auditor.get(LIST)) == [str(row.pk)]
        assert auditor.delete(url_of(row)).status_code == 403

    def test_nobody_looks_anonymously(self, client_for):
        assert client_for(None).get(LIST).status_code == 401


class TestSearching:
    """Whoever sees an enrolment is shown the student's name and number, and finds it by nothing else."""

    @pytest.fixture
    def row(self):
        return EnrollmentFactory(
            student__student_no="S-4711",
            student__person__first_name="Adelaide",
            student__person__preferred_name="Addie",
            student__person__last_name="Byron",
            student__person__email="zorblax@hidden.example",
        )

    @pytest.fixture
    def head(self, row, user_with, client_for):
        client = client_for(user_with(Role.DEPARTMENT_HEAD, "department", row.course.department_id))
        assert client.get(f"/api/v1/students/{row.student_id}/").status_code == 404
        return client

    @pytest.fixture(params=["enrolments", "roster"])
    def url(self, request, row):
        return LIST if request.param == "enrolments" else f"/api/v1/sections/{row.section_id}/roster/"

    @pytest.mark.parametrize("text", ["zorblax", "zorb", "zorblex", "hidden.example", "zorblax@hidden.example"])
    def test_nobody_spells_out_an_address_that_is_not_shown(self, head, url, text):
        assert ids(head.get(url, {"search": text})) == []

    def test_nobody_finds_out_the_name_behind_a_preferred_one(self, head, url):
        assert ids(head.get(url, {"search": "Adelaide"})) == []

    @pytest.mark.parametrize("text", ["addie", "byr", "Addie Byron", "4711", "addei"])
    def test_what_is_shown_is_found(self, head, url, row, text):
        assert ids(head.get(url, {"search": text})) == [str(row.pk)]

    def test_the_name_is_found_where_no_other_is_preferred(self, head, url, row):
        Person.objects.filter(pk=row.student.person_id).update(preferred_name="")

        assert ids(head.get(url, {"search": "adelaide"})) == [str(row.pk)]

    def test_whoever_is_shown_the_address_of_a_student_finds_the_student_by_it(self, row, registrar_client):
        found = registrar_client.get("/api/v1/students/", {"search": "zorblax"})

        assert ids(found) == [str(row.student_id)]
