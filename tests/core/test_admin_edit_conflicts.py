"""Forms of the administration that were opened before somebody else changed the row."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.services import update_person
from core.admin import SEEN
from core.crud import EditConflictError
from core.models import VersionedModel
from departments.models import Department
from departments.services import update_department
from students.models import Student
from tests.departments.factories import DepartmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


def page_of(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def pages(client, registrar):
    client.force_login(registrar)
    return client


def opened(pages, row):
    """Everything that the form of a row sends when it is saved as it was opened."""
    response = pages.get(page_of(row))
    formsets = [inline.formset.management_form for inline in response.context["inline_admin_formsets"]]
    fields = [field for form in (response.context["adminform"].form, *formsets) for field in form]
    values = {field.html_name: field.value() for field in fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def test_a_form_does_not_undo_what_somebody_else_did_meanwhile(pages):
    department = DepartmentFactory(name="Physics")
    form = opened(pages, department)
    update_department(Department.objects.get(), by=None, name="Physics and Astronomy")

    answer = pages.post(page_of(department), {**form, "code": "PHYS"})

    assert answer.status_code == 200
    assert EditConflictError.title in unescape(answer.content.decode())
    saved = Department.objects.get()
    assert (saved.name, saved.code) == ("Physics and Astronomy", department.code)


def test_a_refused_form_stays_refused_until_it_is_opened_anew(pages):
    department = DepartmentFactory(name="Physics")
    form = opened(pages, department)
    update_department(Department.objects.get(), by=None, name="Physics and Astronomy")

    refused = pages.post(page_of(department), {**form, "code": "PHYS"})
    seen = re.search(f'name="{SEEN}" value="([^"]*)"', refused.content.decode())
    again = pages.post(page_of(department), {**form, SEEN: seen[1], "code": "PHYS"})
    anew = pages.post(page_of(department), {**opened(pages, department), "code": "PHYS"})

    assert (again.status_code, anew.status_code) == (200, 302)
    saved = Department.objects.get()
    assert (saved.name, saved.code) == ("Physics and Astronomy", "PHYS")


def test_the_page_of_a_student_does_not_undo_a_change_of_the_person(pages):
    student = StudentFactory(person__phone="1")
    form = opened(pages, student)
    update_person(student.person, by=None, phone="2")

    refused = pages.post(page_of(student), {**form, "last_name": "Byron"})
    saved = pages.post(page_of(student), {**opened(pages, student), "last_name": "Byron"})

    assert EditConflictError.title in unescape(refused.content.decode())
    assert saved.status_code == 302
    person = Student.objects.get().person
    assert (person.phone, person.last_name) == ("2", "Byron")


@pytest.mark.parametrize("seen", ["0", "x", "9" * 500, "1-1-1", "\x00"])
def test_a_version_that_never_was_is_a_conflict_or_no_version(pages, seen):
    department = DepartmentFactory(name="Physics")

    answer = pages.post(page_of(department), {**opened(pages, department), SEEN: seen, "name": "Chemistry"})

    assert answer.status_code == 200
    assert Department.objects.get().name == "Physics"


def test_every_page_that_changes_rows_changes_rows_that_have_a_version():
    changing = [pages for pages in admin.site._registry.values() if pages.crud.update]

    assert changing
    assert all(issubclass(pages.model, VersionedModel) for pages in changing)
