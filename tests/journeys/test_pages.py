"""The pages people look at, in a real browser: no complaint in its console, and what they need on the page."""

import pytest
from selenium.webdriver.common.by import By

from accounts import services as accounts
from accounts.roles import Role
from core.customfields.services import create_custom_field
from departments.models import Department
from students.models import Student
from tests.accounts.factories import PersonFactory
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.needs("chromium", "chromium-driver"), pytest.mark.django_db(transaction=True)]
PASSWORD = "a password for looking around"


@pytest.fixture
def registrar_browser(browser, live_server):
    """A browser in which a registrar has logged in to the administration."""
    user = accounts.create_user(
        by=None, email="registrar@example.org", password=PASSWORD, is_staff=True, person=PersonFactory()
    )
    accounts.assign_role(by=None, user=user, role=Role.REGISTRAR)
    browser.get(f"{live_server.url}/admin/login/")
    browser.find_element(By.NAME, "username").send_keys(user.email)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    assert "Administration" in browser.find_element(By.TAG_NAME, "h1").text
    return browser


def test_the_list_of_students_shows_and_finds_them(registrar_browser, live_server):
    student = StudentFactory(person=PersonFactory(last_name="Lovelace"))
    StudentFactory()

    registrar_browser.get(f"{live_server.url}/admin/students/student/?q=lovelace")

    rows = registrar_browser.find_elements(By.CSS_SELECTOR, "#result_list tbody tr")
    assert len(rows) == 1
    assert student.student_no in rows[0].text
    assert registrar_browser.complaints() == []


def test_a_form_shows_custom_fields_and_saves_through_the_service(registrar_browser, live_server):
    department = DepartmentFactory(code="PHY", name="Physics")
    create_custom_field(
        by=None, entity_type="departments.department", name="cost_centre", label="Cost centre", field_type="text"
    )

    registrar_browser.get(f"{live_server.url}/admin/departments/department/{department.pk}/change/")
    registrar_browser.find_element(By.NAME, "custom_fields.cost_centre").send_keys("4711")
    registrar_browser.find_element(By.NAME, "_save").click()

    assert "changed successfully" in registrar_browser.find_element(By.CSS_SELECTOR, ".messagelist").text
    saved = Department.objects.get()
    assert (saved.custom_data, saved.version) == ({"cost_centre": "4711"}, department.version + 1)
    assert registrar_browser.complaints() == []


def test_a_refusal_of_the_service_stands_in_the_form(registrar_browser, live_server):
    top = DepartmentFactory(code="TOP")
    DepartmentFactory(code="TAKEN")

    registrar_browser.get(f"{live_server.url}/admin/departments/department/{top.pk}/change/")
    code = registrar_browser.find_element(By.NAME, "code")
    code.clear()
    code.send_keys("TAKEN")
    registrar_browser.find_element(By.NAME, "_save").click()

    assert "Another department has this code." in registrar_browser.find_element(By.CSS_SELECTOR, ".errorlist").text
    assert Department.objects.get(pk=top.pk).code == "TOP"
    assert registrar_browser.complaints() == []


def test_the_page_of_a_section_shows_its_seats(registrar_browser, live_server):
    section = SectionFactory(capacity=30)

    registrar_browser.get(f"{live_server.url}/admin/courses/section/{section.pk}/change/")

    assert "30" in registrar_browser.find_element(By.NAME, "capacity").get_attribute("value")
    assert registrar_browser.complaints() == []


def test_the_documentation_shows_the_whole_api(browser, live_server):
    browser.get(f"{live_server.url}/")

    browser.find_element(By.CSS_SELECTOR, "#operations-tag-students")
    assert browser.current_url.endswith("/api/v1/docs/")
    assert browser.complaints() == []
    assert Student.objects.count() == 0
