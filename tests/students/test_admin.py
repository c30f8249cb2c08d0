"""The administration pages of students: what they show, save and refuse."""

import re
from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.roles import SCOPES, STAFF, Role, ScopeKind, permissions_of, usual_scope
from core.models import CustomField
from students.models import ProgramEnrollment, Student, StudentStatusEvent
from tests.accounts.factories import PersonFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:students_student_changelist")
ADD = reverse("admin:students_student_add")
PROGRAMS = reverse("admin:students_programenrollment_changelist")


PROTECTED = ("phone", "birth_date", "gender", "nationality", "home_address", "accommodation_note")


def may_only_look(role):
    return "students.view_student" in permissions_of(role) and "students.change_student" not in permissions_of(role)


def scope_over(role, student):
    """The scope within which a role has sight of the student."""
    if usual_scope(role) == ScopeKind.INSTITUTION or role == Role.ADVISOR or ScopeKind.DEPARTMENT not in SCOPES[role]:
        return {}
    return {"scope_kind": ScopeKind.DEPARTMENT, "scope_id": student.department_id}


def page_of(row):
    return reverse(f"admin:students_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def pages(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def form():
    """What the browser sends for a student of whom nothing but the necessary is known."""
    inlines = ("program_enrollments", "status_events")
    management = {
        f"{inline}-{name}": value
        for inline in inlines
        for name, value in {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 0}.items()
    }
    return {**management, "last_name": "Lovelace", "status": "active", "preferred_contact": "email"}


def errors_in(response):
    return re.findall(r'<ul class="errorlist[^"]*"[^>]*><li>([^<]*)', response.content.decode())


def test_the_list_shows_names_and_programs_at_constant_cost(pages, django_assert_max_num_queries):
    for _ in range(8):
        ProgramEnrollmentFactory(is_primary=True, cohort="2026")
    student = Student.objects.first()

    with django_assert_max_num_queries(8):
        body = pages.get(LIST).content.decode()

    assert student.person.name in body
    assert "2026" in body


def test_the_list_is_searched_by_words(pages):
    StudentFactory(person__last_name="Lovelace")
    StudentFactory(person__last_name="Somerville")

    body = pages.get(LIST, {"q": "lovel"}).content.decode()

    assert "Lovelace" in body
    assert "Somerville" not in body


def test_a_student_is_added_by_the_service(pages, form):
    program = ProgramFactory()
    CustomField.objects.create(entity_type="students.student", name="badge", label="Badge", field_type="text")

    assert pages.get(ADD).status_code == 200
    response = pages.post(
        ADD,
        {
            **form,
            "department": program.department_id,
            "program": program.pk,
            "cohort": "2026",
            "birth_date": "1815-12-10",
            "custom_fields.badge": "7",
        },
    )

    assert response.status_code == 302, errors_in(response)
    student = Student.objects.with_program().get()
    assert student.student_no.startswith("S")
    assert (student.person.last_name, str(student.person.birth_date)) == ("Lovelace", "1815-12-10")
    assert (student.primary_enrollment.program, student.primary_enrollment.cohort) == (program, "2026")
    assert student.custom_data == {"badge": "7"}


def test_every_field_stands_once_on_the_page(pages):
    student = ProgramEnrollmentFactory(is_primary=True).student

    page = pages.get(page_of(student)).content.decode()

    labels = re.findall(r"<label[^>]*>([^<]+):?</label>", page)
    assert "Student number:" in labels
    assert len(labels) == len(set(labels))
    assert "Program enrolments" in page


def test_a_refusal_stands_beside_its_field(pages, form):
    StudentFactory(student_no="S1")

    response = pages.post(ADD, {**form, "department": DepartmentFactory().pk, "student_no": "S1"})

    assert response.status_code == 200
    assert "Another student has this number." in errors_in(response)
    assert Student.objects.count() == 1


def test_a_refusal_about_the_program_stands_beside_the_cohort(pages, form):
    response = pages.post(ADD, {**form, "department": DepartmentFactory().pk, "cohort": "2026"})

    assert "A cohort belongs to a program, and the student has none." in errors_in(response)
    assert not Student.objects.exists()


def test_the_page_shows_the_person_and_the_history_and_saves_by_the_service(pages, form):
    enrollment = ProgramEnrollmentFactory(is_primary=True, cohort="2026", student__person__first_name="Ada")
    student = enrollment.student
    StudentStatusEvent.objects.create(
        student=student,
        from_status="admitted",
        to_status="active",
        happened_at=student.created_at,
        reason="Welcome",
    )

    body = pages.get(page_of(student)).content.decode()
    response = pages.post(
        page_of(student),
        {
            **form,
            "first_name": "Augusta",
            "department": student.department_id,
            "program": enrollment.program_id,
            "cohort": "2027",
        },
    )

    assert response.status_code == 302, errors_in(response)
    assert 'value="Ada"' in body
    assert 'value="2026"' in body
    assert "Welcome" in body
    student.refresh_from_db()
    enrollment.refresh_from_db()
    assert (student.person.name, student.status, enrollment.cohort) == ("Augusta Lovelace", "active", "2027")


def test_a_status_is_moved_by_an_action(pages, registrar):
    student, graduate = StudentFactory(), StudentFactory(status="graduated")
    chosen = {"action": "move_to_suspended", "_selected_action": [student.pk, graduate.pk]}

    response = pages.post(LIST, chosen)

    assert Student.objects.get(pk=student.pk).status == "suspended"
    assert StudentStatusEvent.objects.get().actor == registrar
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        f"{graduate}: A student who is graduated cannot become suspended."
    ]


def test_an_action_moves_those_one_manages_only(client, user_with):
    mine, other = StudentFactory(), StudentFactory()
    user = user_with(Role.REGISTRAR, ScopeKind.DEPARTMENT, mine.department_id, is_staff=True)
    Student.objects.filter(pk=other.pk).update(advisor=user.person)
    client.force_login(user)

    client.post(LIST, {"action": "move_to_suspended", "_selected_action": [mine.pk, other.pk]})

    assert [Student.objects.get(pk=student.pk).status for student in (mine, other)] == ["suspended", "active"]


def test_a_student_with_a_history_is_not_deleted(pages):
    student = StudentFactory()
    StudentStatusEvent.objects.create(
        student=student, from_status="admitted", to_status="active", happened_at=student.created_at
    )

    pages.post(reverse("admin:students_student_delete", args=[student.pk]), {"post": "yes"})

    assert Student.objects.exists()


def test_a_student_recorded_by_mistake_is_deleted(pages):
    student = StudentFactory()

    response = pages.post(reverse("admin:students_student_delete", args=[student.pk]), {"post": "yes"})

    assert response.status_code == 302
    assert not Student.objects.exists()


def test_a_program_enrolment_is_added_changed_and_moved(pages):
    student, program = StudentFactory(), ProgramFactory()
    management = {f"events-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}

    added = pages.post(
        reverse("admin:students_programenrollment_add"),
        {**management, "student": student.pk, "program": program.pk, "is_primary": "on", "status": "active"},
    )
    enrollment = ProgramEnrollment.objects.get()
    changed = pages.post(page_of(enrollment), {**management, "cohort": "2026", "is_primary": "on"})
    pages.post(PROGRAMS, {"action": "move_to_completed", "_selected_action": [enrollment.pk]})

    assert (added.status_code, changed.status_code) == (302, 302), errors_in(changed)
    assert pages.get(page_of(enrollment)).status_code == 200
    assert pages.get(PROGRAMS).status_code == 200
    enrollment.refresh_from_db()
    assert (enrollment.is_primary, enrollment.cohort, enrollment.status) == (True, "2026", "completed")


def test_whoever_may_only_look_finds_no_field_to_change(client, user_with):
    student = StudentFactory(person__last_name="Lovelace")
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, student.department_id, is_staff=True))

    body = client.get(page_of(student)).content.decode()

    assert student.student_no in body
    assert "Lovelace" in body
    assert 'name="last_name"' not in body
    assert client.post(page_of(student), {"last_name": "X"}).status_code == 403


@pytest.mark.parametrize("role", [role for role in Role if role in STAFF and may_only_look(role)])
def test_whoever_may_only_look_reads_on_the_page_what_the_api_shows_them(client, client_for, user_with, role):
    student = StudentFactory(
        person__phone="+43 1 234",
        person__birth_date=date(1990, 3, 7),
        person__nationality="AT",
        accommodation_note="A reader",
    )
    Student.objects.filter(pk=student.pk).update(advisor=(colleague := PersonFactory()))
    user = user_with(role, **scope_over(role, student), person=colleague, is_staff=True)
    client.force_login(user)

    page = client.get(page_of(student)).content.decode()
    shown = client_for(user).get(f"/api/v1/students/{student.pk}/").json()["data"]

    assert student.student_no in page
    assert ("+43 1 234" in page) == (shown["phone"] is not None)
    assert ("A reader" in page) == (shown["accommodation_note"] is not None)
    for name in PROTECTED:
        assert (f"field-{name}" in page) == (shown[name] is not None), name


def test_an_exam_controller_does_not_read_what_is_protected(client, user_with):
    student = StudentFactory(person__phone="+43 1 234", person__birth_date=date(1990, 3, 7))
    client.force_login(user_with(Role.EXAM_CONTROLLER, is_staff=True))

    page = client.get(page_of(student)).content.decode()

    assert student.person.last_name in page
    assert "+43 1 234" not in page
    assert "1990" not in page
