"""Choosing the row that a field of a form of the administration refers to."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.roles import Role
from audit.models import Disclosure
from tests.faculty.factories import FacultyFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
ADMINS = sorted(admin.site._registry.values(), key=lambda pages: pages.opts.label_lower)
CHOICES = [(pages, name) for pages in ADMINS for name in pages.autocomplete_fields]


@pytest.mark.parametrize(("pages", "name"), CHOICES, ids=lambda part: getattr(part, "opts", part))
def test_what_can_be_chosen_is_offered_in_a_certain_order(client, user_with, pages, name):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    asked = {"app_label": pages.opts.app_label, "model_name": pages.opts.model_name, "field_name": name}

    answer = client.get(reverse("admin:autocomplete"), asked)

    assert answer.status_code == 200
    assert "results" in answer.json()


@pytest.mark.parametrize(
    ("asked", "make"),
    [
        ({"app_label": "enrollment", "model_name": "enrollment", "field_name": "student"}, StudentFactory),
        ({"app_label": "courses", "model_name": "sectioninstructor", "field_name": "faculty"}, FacultyFactory),
    ],
    ids=["student", "faculty"],
)
def test_people_are_chosen_by_number_and_name(client, registrar, asked, make):
    part = make(person__first_name="Ada", person__last_name="Lindberg")
    number = getattr(part, "student_no", None) or part.employee_no
    client.force_login(registrar)

    answer = client.get(reverse("admin:autocomplete"), {**asked, "term": "lindb"})

    assert answer.json()["results"] == [{"id": str(part.pk), "text": f"{number}, Ada Lindberg"}]


def test_who_was_chosen_is_shown_by_number_and_name(client, registrar):
    student = StudentFactory(student_no="10012345", person__first_name="Ada", person__last_name="Lindberg")
    client.force_login(registrar)

    form = client.get(reverse("admin:enrollment_enrollment_add"), {"student": str(student.pk)})

    assert "10012345, Ada Lindberg</option>" in form.content.decode()


def test_whose_name_is_offered_is_on_record(client, registrar):
    student = StudentFactory()
    asked = {"app_label": "enrollment", "model_name": "enrollment", "field_name": "student"}
    client.force_login(registrar)

    client.get(reverse("admin:autocomplete"), {**asked, "term": student.student_no})

    assert Disclosure.objects.get().subject_id == student.person_id


@pytest.mark.parametrize("pages", ADMINS, ids=lambda pages: pages.opts.label_lower)
def test_no_form_names_what_an_address_refers_to_without_asking_who_may_see_it(pages):
    """Fields that take a bare id would say beside it which row it is, whoever asks."""
    assert pages.raw_id_fields == ()
