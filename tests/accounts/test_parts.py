"""A person with two parts: their own data are those of both, and belong to whoever is in charge of both."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Person, RoleAssignment, User
from accounts.roles import Role, ScopeKind
from faculty.models import Faculty
from faculty.services.bulk import update_faculty_members
from students.models import Student
from students.services.bulk import update_students
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory
from tests.faculty.factories import FacultyFactory
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(3)]
CODE = "person_out_of_scope"


@pytest.fixture
def person() -> Person:
    person: Person = PersonFactory(first_name="Ada", last_name="Byron", email="ada@example.org")
    return person


@pytest.fixture
def student(person: Person) -> Student:
    student: Student = StudentFactory(person=person)
    return student


@pytest.fixture
def member(person: Person) -> Faculty:
    member: Faculty = FacultyFactory(person=person)
    return member


@pytest.fixture
def registrar_of_student(user_with: Callable[..., User], student: Student, member: Faculty) -> User:
    return user_with(Role.REGISTRAR, ScopeKind.DEPARTMENT, student.department_id, is_staff=True)


@pytest.fixture
def officer_of_member(user_with: Callable[..., User], student: Student, member: Faculty) -> User:
    return user_with(Role.HR_OFFICER, ScopeKind.DEPARTMENT, member.department_id, is_staff=True)


def url_of(row: Student | Faculty) -> str:
    return f"/api/v1/{'students' if isinstance(row, Student) else 'faculty'}/{row.pk}/"


def refusals(answer: Any) -> list[tuple[str, str]]:
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def stored(person: Person) -> tuple[str, str, int]:
    person.refresh_from_db()
    return person.last_name, person.email, person.version


class TestWhoeverIsInChargeOfOnePart:
    def test_changes_nothing_that_the_other_shows(
        self, registrar_of_student: User, officer_of_member: User, client_for: Any, student: Student, member: Faculty
    ) -> None:
        before = stored(student.person)

        for user, row in ((registrar_of_student, student), (officer_of_member, member)):
            answer = client_for(user).patch(
                url_of(row), {"last_name": "King", "email": "king@example.org"}, format="json"
            )
            assert answer.status_code == 403
            assert refusals(answer) == [(CODE, "last_name"), (CODE, "email")]

        assert stored(student.person) == before

    def test_changes_the_part_and_may_send_the_person_back_as_it_was(
        self, registrar_of_student: User, client_for: Any, student: Student
    ) -> None:
        client = client_for(registrar_of_student)
        shown = client.get(url_of(student)).json()["data"]
        same = {name: shown[name] for name in ("id", "first_name", "last_name", "email", "phone", "birth_date")}

        answer = client.patch(url_of(student), {**same, "preferred_contact": "phone"}, format="json")

        assert answer.status_code == 200, answer.json()
        assert answer.json()["data"]["preferred_contact"] == "phone"

    def test_is_refused_alone_among_many(
        self, registrar_of_student: User, client_for: Any, student: Student, person: Person
    ) -> None:
        other: Student = StudentFactory(department=student.department)
        items = [{"id": str(row.pk), "last_name": "King"} for row in (student, other)]

        answer = client_for(registrar_of_student).post(
            "/api/v1/students/bulk-update/", {"items": items, "mode": "best_effort"}, format="json"
        )

        first, second = answer.json()["data"]["results"]
        assert [(error["code"], error["field"]) for error in first["errors"]] == [(CODE, "items.0.last_name")]
        assert (first["status"], second["status"]) == ("refused", "updated")
        assert stored(person)[0] == "Byron"
        assert stored(other.person)[0] == "King"

    def test_is_told_on_the_administration_page(
        self, registrar_of_student: User, officer_of_member: User, client: Any, student: Student, member: Faculty
    ) -> None:
        for user, row in ((registrar_of_student, student), (officer_of_member, member)):
            client.force_login(user)
            page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
            form = client.get(page).context["adminform"].form
            sent = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
            inlines = client.get(page).context["inline_admin_formsets"]
            sent |= {
                f"{inline.formset.prefix}-{name}": inline.formset.management_form[name].value()
                for inline in inlines
                for name in inline.formset.management_form.fields
            }

            answer = client.post(page, {**sent, "last_name": "King"})

            assert answer.status_code == 200
            assert "outside the scope of your role" in answer.content.decode()
            assert list(answer.context["adminform"].form.errors) == ["last_name"]

        assert stored(student.person)[0] == "Byron"

    def test_is_refused_in_bulk_by_one_question(
        self, registrar_of_student: User, officer_of_member: User, student: Student, member: Faculty
    ) -> None:
        others = [StudentFactory(department=student.department) for _ in range(5)]
        counts = []

        for rows in ([student, others[0]], [student, *others]):
            fresh = [Student.objects.select_related("person").get(pk=row.pk) for row in rows]
            with CaptureQueriesContext(connection) as queries:
                first, *rest = update_students(
                    changes=[(row, {"email": f"{len(rows)}@example.org"}) for row in fresh], by=registrar_of_student
                )
            counts.append(len(queries))
            assert first is not None
            assert (first.error_code, first.field) == (CODE, "email")
            assert rest == [None] * len(rest)
        assert counts[1] <= counts[0]

        [refused] = update_faculty_members(changes=[(member, {"last_name": "King"})], by=officer_of_member)
        assert refused is not None
        assert refused.error_code == CODE
        assert stored(student.person)[:2] == ("Byron", "ada@example.org")


class TestWhoeverIsInChargeOfEveryPart:
    def test_changes_the_person_through_either(
        self, registrar_of_student: User, client_for: Any, student: Student, member: Faculty
    ) -> None:
        RoleAssignmentFactory(
            user=registrar_of_student,
            role=Role.HR_OFFICER,
            scope_kind=ScopeKind.DEPARTMENT,
            scope_id=member.department_id,
        )
        client = client_for(registrar_of_student)

        for row, name in ((student, "King"), (member, "Lovelace")):
            answer = client.patch(url_of(row), {"last_name": name}, format="json")
            assert answer.status_code == 200, answer.json()
            assert stored(student.person)[0] == name

    @pytest.mark.parametrize("role", [Role.REGISTRAR, Role.SYSTEM_ADMIN])
    def test_is_the_office_of_the_institution_without_a_question_more(
        self, user_with: Any, client_for: Any, student: Student, member: Faculty, role: Role
    ) -> None:
        client = client_for(user_with(role))
        single: Student = StudentFactory()
        counts = []

        for row in (single, student):
            with CaptureQueriesContext(connection) as queries:
                answer = client.patch(url_of(row), {"last_name": "King"}, format="json")
            assert answer.status_code == 200, answer.json()
            counts.append(len(queries))

        assert stored(student.person)[0] == "King"
        assert counts[0] == counts[1]

    def test_is_whoever_runs_a_command(self, student: Student, member: Faculty) -> None:
        assert update_students(changes=[(student, {"last_name": "King"})], by=None) == [None]
        assert stored(student.person)[0] == "King"

    def test_is_whoever_has_the_only_part(
        self, registrar_of_student: User, client_for: Any, student: Student, member: Faculty
    ) -> None:
        Faculty.objects.filter(pk=member.pk).delete()
        assert RoleAssignment.objects.filter(user=registrar_of_student).count() == 1

        answer = client_for(registrar_of_student).patch(url_of(student), {"last_name": "King"}, format="json")

        assert answer.status_code == 200
