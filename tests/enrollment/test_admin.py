"""The administration pages of enrolments: they open, save by the services, show refusals."""

import re

import pytest
from django.urls import reverse

from accounts.roles import Role, ScopeKind
from courses.models import Section
from enrollment.models import Enrollment, EnrollmentEvent
from students.models import Student
from tests.courses.factories import SectionFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
INLINES = {"events-TOTAL_FORMS": "0", "events-INITIAL_FORMS": "0"}
LIST = reverse("admin:enrollment_enrollment_changelist")
ADD = reverse("admin:enrollment_enrollment_add")
# What is no text for people: markup, with the addresses and names in it.
SPELLED = re.compile(r"<[^>]*>")


def page_of(row, page="change"):
    return reverse(f"admin:enrollment_enrollment_{page}", args=[row.pk])


@pytest.fixture
def pages(client, registrar):
    client.force_login(registrar)
    return client


def test_the_pages_open(pages):
    row = EnrollmentFactory()

    for url in (LIST, f"{LIST}?q=s", ADD, page_of(row), page_of(row, "delete")):
        assert pages.get(url).status_code == 200


def test_a_page_is_titled_as_people_speak_of_the_enrolment(pages):
    row = EnrollmentFactory(
        student__student_no="10012345",
        section__course__code="CS101",
        section__code="01",
        section__term__code="2026-FALL",
    )

    page = pages.get(page_of(row)).content.decode()

    assert "<h2>10012345 in CS101-01, 2026-FALL</h2>" in page
    assert "Change enrolment" in page
    assert "nrollment" not in SPELLED.sub("", page)


def test_the_list_costs_the_same_whatever_it_shows(pages, django_assert_max_num_queries):
    for _ in range(8):
        EnrollmentFactory()

    with django_assert_max_num_queries(6):
        page = pages.get(LIST).content.decode()

    assert str(Enrollment.objects.first().section) in page


def test_a_student_is_enrolled_by_the_service(pages, registrar):
    section, student = SectionFactory(), StudentFactory()
    body = {"student": student.pk, "section": section.pk, "grade_basis": "letter", "credits": "", "reason": "By mail."}

    answer = pages.post(ADD, {**body, **INLINES})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = Enrollment.objects.get()
    assert (row.student, row.credits, row.source) == (student, 3, "manual")
    step = EnrollmentEvent.objects.get()
    assert (step.actor, step.reason) == (registrar, "By mail.")


def test_a_refusal_is_shown_and_can_be_overridden(pages):
    section = SectionFactory(capacity=0)
    body = {"student": StudentFactory().pk, "section": section.pk, "grade_basis": "letter", **INLINES}

    refused = pages.post(ADD, body)
    granted = pages.post(ADD, {**body, "override": "on"})

    assert "section" in refused.context["adminform"].form.errors
    assert granted.status_code == 302
    assert Section.objects.get().enrolled_count == 1


def test_only_credits_and_grade_basis_change(pages):
    row = EnrollmentFactory()

    answer = pages.post(page_of(row), {"grade_basis": "audit", "credits": "3.00", "status": "completed", **INLINES})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row.refresh_from_db()
    assert (row.grade_basis, row.status) == ("audit", "enrolled")


def test_deleting_drops(pages):
    row = EnrollmentFactory()

    pages.post(page_of(row, "delete"), {"post": "yes"})

    assert Enrollment.objects.get().status == "dropped"


def test_chosen_enrolments_are_cancelled_and_the_others_named(pages):
    live, ended = EnrollmentFactory(), EnrollmentFactory(status="completed")
    body = {"action": "move_to_cancelled", "_selected_action": [live.pk, ended.pk]}

    answer = pages.post(LIST, body, follow=True)

    assert set(Enrollment.objects.values_list("status", flat=True)) == {"cancelled", "completed"}
    assert "cannot become cancelled" in answer.content.decode()


def test_a_head_enrols_in_the_courses_of_their_department_only(client, user_with):
    mine, foreign, student = SectionFactory(), SectionFactory(), StudentFactory()
    department = mine.course.department
    Student.objects.filter(pk=student.pk).update(department=department)
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, department.pk, is_staff=True))

    for section in (foreign, mine):
        client.post(ADD, {"student": student.pk, "section": section.pk, "grade_basis": "letter", **INLINES})

    assert [row.section for row in Enrollment.objects.all()] == [mine]


def test_the_form_names_no_student_out_of_sight(client, user_with):
    mine, foreign = StudentFactory(student_no="10012345"), StudentFactory(student_no="10054321")
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.department_id, is_staff=True))

    page = client.get(ADD, {"student": mine.pk}).content.decode()
    asked = client.get(ADD, {"student": foreign.pk}).content.decode()

    assert "10012345" in page
    assert "10054321" not in asked


def test_students_are_offered_by_name_and_only_those_in_sight(client, user_with):
    mine = StudentFactory(person__last_name="Lovelace")
    StudentFactory(person__last_name="Lovelock")
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.department_id, is_staff=True))

    asked = {"app_label": "enrollment", "model_name": "enrollment", "field_name": "student", "term": "lovel"}
    answer = client.get(reverse("admin:autocomplete"), asked)

    assert [offered["id"] for offered in answer.json()["results"]] == [str(mine.pk)]


def test_the_list_finds_what_the_api_finds(pages, registrar_client):
    found = EnrollmentFactory(student__person__last_name="Lindberg")
    EnrollmentFactory(student__person__last_name="Noether")

    for words in ("Lindberg", "lindb", found.student.student_no, f"lindberg {found.course.code}"):
        listed = pages.get(LIST, {"q": words}).context["cl"].queryset
        answered = registrar_client.get("/api/v1/enrollments/", {"search": words}).json()["data"]

        assert [str(row.pk) for row in listed] == [row["id"] for row in answered] == [str(found.pk)], words
