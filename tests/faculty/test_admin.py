"""The administration pages of faculty: what they show, save and refuse."""

from datetime import date

import pytest
from django.urls import reverse

from faculty.models import Faculty, FacultyAppointment, FacultyStatusEvent
from tests.departments.factories import DepartmentFactory
from tests.faculty.factories import FacultyAppointmentFactory, FacultyFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:faculty_faculty_changelist")
ADD = reverse("admin:faculty_faculty_add")


def page_of(faculty):
    return reverse("admin:faculty_faculty_change", args=[faculty.pk])


@pytest.fixture
def pages(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def form():
    """What the browser sends for a member of faculty of whom nothing but the necessary is known."""
    management = {
        f"{inline}-{name}": 0
        for inline in ("appointments", "status_events")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    return {
        **management,
        "last_name": "Noether",
        "rank": "lecturer",
        "employment_type": "full_time",
        "status": "active",
        "fte": "1",
    }


def test_the_list_shows_names_at_constant_cost(pages, django_assert_max_num_queries):
    for _ in range(8):
        FacultyFactory()

    with django_assert_max_num_queries(8):
        body = pages.get(LIST).content.decode()

    assert Faculty.objects.first().person.name in body


def test_the_list_is_searched_by_words(pages):
    FacultyFactory(person__last_name="Noether")
    FacultyFactory(person__last_name="Artin")

    body = pages.get(LIST, {"q": "noeth"}).content.decode()

    assert "Noether" in body
    assert "Artin" not in body


def test_a_member_is_added_by_the_service(pages, form):
    values = {**form, "employee_no": "E1", "department": DepartmentFactory().pk, "appointed_on": "2020-09-01"}

    assert pages.get(ADD).status_code == 200
    response = pages.post(ADD, values)

    assert response.status_code == 302
    assert Faculty.objects.get().person.last_name == "Noether"
    assert FacultyAppointment.objects.get().starts_on == date(2020, 9, 1)


def test_a_refusal_stands_beside_its_field(pages, form):
    FacultyFactory(employee_no="E1")

    response = pages.post(ADD, {**form, "employee_no": "E1", "department": DepartmentFactory().pk})

    assert "Another member of faculty has this number." in response.content.decode()
    assert Faculty.objects.count() == 1


def test_the_page_shows_the_person_but_nothing_protected_and_saves_by_the_service(pages, form):
    post = FacultyAppointmentFactory(faculty__person__first_name="Emmy")
    faculty = post.faculty

    body = pages.get(page_of(faculty)).content.decode()
    response = pages.post(
        page_of(faculty),
        {
            **form,
            "department": faculty.department_id,
            "first_name": "Amalie",
            "rank": "professor",
            "appointed_on": "2026-01-01",
        },
    )

    assert 'value="Emmy"' in body
    assert 'name="birth_date"' not in body
    assert response.status_code == 302
    faculty.refresh_from_db()
    assert (faculty.person.name, faculty.rank) == ("Amalie Noether", "professor")
    assert FacultyAppointment.objects.lasting().get().rank == "professor"


def test_a_colleague_reads_on_no_page_how_somebody_is_employed(client, user_with):
    faculty = FacultyFactory(person__phone="+43 1 234", employment_type="adjunct")
    client.force_login(user_with("faculty", is_staff=True))

    listed, page = (client.get(url).content.decode() for url in (LIST, page_of(faculty)))

    assert faculty.employee_no in listed
    assert faculty.employee_no in page
    for text in ("+43 1 234", "djunct", "employment_type", "field-fte"):
        assert text not in listed + page
    assert client.get(LIST, {"employment_type__exact": "adjunct"}).status_code != 200


def test_a_status_is_moved_by_an_action(pages, registrar):
    faculty = FacultyFactory()

    pages.post(LIST, {"action": "move_to_on_leave", "_selected_action": [faculty.pk]})

    assert Faculty.objects.get().status == "on_leave"
    assert FacultyStatusEvent.objects.get().actor == registrar
