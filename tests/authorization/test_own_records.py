"""Somebody in charge who studies or works here as well decides about others alone, over the API and on the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Person, User
from accounts.roles import Role
from departments.models import Appointment
from enrollment.models import Enrollment
from faculty.models import Faculty
from privacy.models import LegalHold
from privacy.services import place_hold
from students.models import ProgramEnrollment, Student
from tests.accounts.factories import PersonFactory
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(13)]
API = "/api/v1/"
SELF = (403, "self_approval")
UserWith = Callable[..., User]
ClientFor = Callable[[User | None], APIClient]


@pytest.fixture
def ada() -> Student:
    """A student who works as a registrar, too."""
    student: Student = StudentFactory(student_no="S1")
    return student


@pytest.fixture
def her(ada: Student, user_with: UserWith) -> User:
    return user_with(Role.REGISTRAR, person=ada.person, is_staff=True)


@pytest.fixture
def api(her: User, client_for: ClientFor) -> APIClient:
    return client_for(her)


@pytest.fixture
def pages(client: Client, her: User) -> Client:
    client.force_login(her)
    return client


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


class TestOverHttp:
    def test_nobody_settles_their_own_enrolment(self, api: APIClient, ada: Student) -> None:
        row = EnrollmentFactory(student=ada)
        pending = EnrollmentFactory(student=ada, status="pending")
        url = f"{API}enrollments/{row.pk}/"

        answers = [
            api.post(f"{url}complete/", {"result": "distinction"}),
            api.post(f"{url}cancel/", {}),
            api.post(f"{API}enrollments/{pending.pk}/confirm/", {}),
            api.patch(url, {"grade_basis": "audit"}),
        ]

        assert [told(answer) for answer in answers] == [SELF] * 4
        row.refresh_from_db()
        pending.refresh_from_db()
        assert (row.status, row.result, row.grade_basis, pending.status) == ("enrolled", "", "letter", "pending")

    def test_a_head_gives_no_result_to_themselves(self, user_with: UserWith, client_for: ClientFor) -> None:
        row = EnrollmentFactory()
        head = user_with(Role.DEPARTMENT_HEAD, "department", row.course.department_id, person=row.student.person)
        url = f"{API}enrollments/{row.pk}/complete/"

        assert told(client_for(head).post(url, {"result": "distinction"})) == SELF
        assert client_for(user_with(Role.REGISTRAR)).post(url, {"result": "pass"}).status_code == 200

    def test_somebody_enrols_themselves_by_the_rules_and_leaves(self, api: APIClient, ada: Student) -> None:
        full, free = SectionFactory(capacity=0), SectionFactory()
        body = {"student": str(ada.pk), "section": str(full.pk), "override": True}

        assert told(api.post(f"{API}enrollments/", body)) == SELF
        made = api.post(f"{API}enrollments/", {"student": str(ada.pk), "section": str(free.pk)})
        assert made.status_code == 201, made.json()
        assert api.post(f"{API}enrollments/{made.json()['data']['id']}/withdraw/", {}).status_code == 200
        assert Enrollment.objects.filter(section=full).count() == 0

    def test_nobody_settles_their_own_standing(self, api: APIClient, ada: Student) -> None:
        url = f"{API}students/{ada.pk}/"
        others = DepartmentFactory()

        answers = [
            api.post(f"{url}change-status/", {"status": "graduated"}),
            api.patch(url, {"accommodation_note": "Has more time"}),
            api.patch(url, {"department": str(others.pk)}),
            api.patch(url, {"program": str(ProgramFactory().pk)}),
        ]

        assert [told(answer) for answer in answers] == [SELF] * 4
        ada.refresh_from_db()
        assert (ada.status, ada.accommodation_note) == ("active", None)
        assert api.patch(url, {"phone": "+43 1 555 0100", "home_address": "1 Elm Street"}).status_code == 200

    def test_a_row_that_is_sent_back_as_it_was_read_decides_nothing(self, api: APIClient, ada: Student) -> None:
        ProgramEnrollmentFactory(student=ada, is_primary=True, cohort="2026")
        read = api.get(f"{API}students/{ada.pk}/").json()["data"]
        body = {
            "status": read["status"], "department": read["department"]["id"], "program": read["program"]["id"],
            "cohort": read["cohort"], "preferred_name": "Ada",
        }  # fmt: skip

        answer = api.patch(f"{API}students/{ada.pk}/", body)

        assert answer.status_code == 200, answer.json()

    def test_nobody_settles_their_own_programs(self, api: APIClient, ada: Student) -> None:
        row = ProgramEnrollmentFactory(student=ada, status="active", is_primary=True)
        url = f"{API}program-enrollments/{row.pk}/"

        answers = [
            api.post(f"{API}program-enrollments/", {"student": str(ada.pk), "program": str(ProgramFactory().pk)}),
            api.post(f"{url}change-status/", {"status": "completed"}),
            api.patch(url, {"cohort": "1999"}),
            api.delete(url),
        ]

        assert [told(answer) for answer in answers] == [SELF] * 4
        assert list(ProgramEnrollment.objects.filter(student=ada).values_list("status", "cohort")) == [
            ("active", row.cohort)
        ]

    def test_nobody_gives_a_post_or_an_office_to_themselves(self, user_with: UserWith, client_for: ClientFor) -> None:
        officer, registrar, department = user_with(Role.HR_OFFICER), user_with(Role.REGISTRAR), DepartmentFactory()
        post = {"rank": "professor", "salary": "250000.00", "department": str(department.pk), "employee_no": "E1"}
        office = {"department": str(department.pk), "role": "head", "starts_on": "2026-01-01"}

        for user, url, body in ((officer, f"{API}faculty/", post), (registrar, f"{API}appointments/", office)):
            assert told(client_for(user).post(url, {"person": str(user.person_id), **body})) == SELF

        assert not Faculty.objects.filter(department=department).exists()
        assert not Appointment.objects.filter(department=department).exists()

    @pytest.mark.checklist(88)
    def test_whoever_is_held_does_not_release_the_hold(self, api: APIClient, ada: Student, registrar: User) -> None:
        hold = place_hold(by=registrar, person=ada.person, reason="A case")

        released = api.post(f"{API}privacy/holds/{hold.pk}/release/", {"reason": "Over"})
        placed = api.post(f"{API}privacy/holds/", {"person": str(ada.person_id), "reason": "Keep it"})

        assert [told(released), told(placed)] == [SELF] * 2
        assert list(LegalHold.objects.filter(person=ada.person).values_list("released_at", flat=True)) == [None]

    @pytest.mark.checklist(88)
    def test_a_hold_on_another_record_of_oneself_is_ones_own(self, api: APIClient, ada: Student) -> None:
        duplicate = PersonFactory()
        Person.objects.filter(pk=duplicate.pk).update(merged_into=ada.person)
        hold = place_hold(by=None, person=duplicate, reason="A case")

        assert told(api.post(f"{API}privacy/holds/{hold.pk}/release/", {"reason": "Over"})) == SELF


class TestOnThePages:
    """The administration says why, beside the form or above the list, and saves nothing."""

    def test_the_form_of_a_student(self, pages: Client, ada: Student) -> None:
        page = reverse("admin:students_student_change", args=[ada.pk])
        form = pages.get(page).context["adminform"].form
        sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
        management = {
            f"{inline}-{name}": 0
            for inline in ("program_enrollments", "status_events")
            for name in ("TOTAL_FORMS", "INITIAL_FORMS")
        }

        answer = pages.post(page, {**sent, **management, "accommodation_note": "Has more time"})

        assert answer.status_code == 200
        assert "Nobody decides about their own standing as a student." in answer.content.decode()
        ada.refresh_from_db()
        assert ada.accommodation_note is None

    def test_the_actions_of_a_list(self, pages: Client, ada: Student) -> None:
        row = EnrollmentFactory(student=ada)
        hold = LegalHold.objects.create(person=ada.person, reason="A case", placed_at=timezone.now())
        asked = [
            ("students_student", "move_to_graduated", ada, "Nobody decides about their own standing"),
            ("enrollment_enrollment", "move_to_cancelled", row, "Nobody decides about their own enrolment"),
            ("privacy_legalhold", "release", hold, "Nobody places or releases a hold on their own records"),
        ]

        for model, action, chosen, sentence in asked:
            body = {"action": action, "_selected_action": [chosen.pk]}
            answer = pages.post(reverse(f"admin:{model}_changelist"), body, follow=True)
            assert answer.status_code == 200
            assert sentence in answer.content.decode()

        for each in (ada, row, hold):
            each.refresh_from_db()
        assert (ada.status, row.status, hold.released_at) == ("active", "enrolled", None)

    def test_what_is_new(self, pages: Client, ada: Student) -> None:
        section, department = SectionFactory(capacity=0), DepartmentFactory()
        inlines = {"events-TOTAL_FORMS": "0", "events-INITIAL_FORMS": "0"}
        waived = {"student": ada.pk, "section": section.pk, "grade_basis": "letter", "override": "on", **inlines}
        office = {"department": department.pk, "person": ada.person_id, "role": "head"}
        asked = [
            ("enrollment_enrollment", waived, "Nobody decides about their own enrolment."),
            ("departments_appointment", office, "Nobody decides about their own office."),
            ("privacy_legalhold", {"person": ada.person_id, "reason": "Keep it"}, "Nobody places or releases a hold"),
        ]

        for model, body, sentence in asked:
            answer = pages.post(reverse(f"admin:{model}_add"), body)
            assert answer.status_code == 200
            assert sentence in answer.content.decode()

        assert not Enrollment.objects.filter(student=ada).exists()
        assert not any(model.objects.filter(person=ada.person).exists() for model in (Appointment, LegalHold))

    def test_the_actions_of_the_faculty(self, client: Client, user_with: UserWith) -> None:
        member = FacultyFactory()
        client.force_login(user_with(Role.REGISTRAR, person=member.person, is_staff=True))
        body = {"action": "move_to_on_leave", "_selected_action": [member.pk]}

        answer = client.post(reverse("admin:faculty_faculty_changelist"), body, follow=True)

        assert "Nobody changes their own post." in answer.content.decode()
        member.refresh_from_db()
        assert member.status == "active"
