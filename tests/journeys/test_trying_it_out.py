"""The documentation page sends requests that the API accepts, as it stands and with nothing filled in."""

import json
from http import HTTPStatus

import pytest
from drf_spectacular.generators import SchemaGenerator
from selenium.webdriver.common.by import By

from accounts.roles import Role
from departments.models import Department
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db(transaction=True)

# What is said of a row that is not there, or not the caller's to name.
ROWS = {"does_not_exist", "permission_denied"}


@pytest.fixture
def document():
    return json.loads(json.dumps(SchemaGenerator(urlconf="campushub360.urls").get_schema(request=None, public=True)))


@pytest.fixture
def execute(browser, live_server, registrar, client_for):
    """Return a function that executes an operation as a registrar; it returns the path asked for and the answer."""
    _, _, token = client_for(registrar)._credentials["HTTP_AUTHORIZATION"].partition(" ")

    def run(tag, operation):
        browser.set_window_size(1400, 4000)  # nothing to scroll to
        browser.get(f"{live_server.url}/api/v1/docs/")
        browser.find_element(By.CSS_SELECTOR, f"#operations-tag-{tag}").click()
        browser.find_element(By.CSS_SELECTOR, f"#operations-{tag}-{operation} .opblock-summary-control").click()
        opened = browser.find_element(By.CSS_SELECTOR, f"#operations-{tag}-{operation}")
        browser.find_element(By.CSS_SELECTOR, ".auth-wrapper .authorize").click()
        schemes = browser.find_elements(By.CSS_SELECTOR, ".auth-container")
        bearer = next(scheme for scheme in schemes if "bearer" in scheme.text)
        bearer.find_element(By.CSS_SELECTOR, "input").send_keys(token)
        bearer.find_element(By.CSS_SELECTOR, ".auth-btn-wrapper .authorize").click()
        browser.find_element(By.CSS_SELECTOR, ".btn-done").click()
        opened.find_element(By.CSS_SELECTOR, ".execute").click()
        answer = opened.find_element(By.CSS_SELECTOR, ".live-responses-table .response .response-col_status").text
        asked = opened.find_element(By.CSS_SELECTOR, ".request-url pre").text
        return asked.removeprefix(live_server.url), int(answer.split()[0])

    return run


@pytest.mark.needs("chromium", "chromium-driver")
def test_a_list_is_asked_for_without_a_parameter_and_shown(browser, execute):
    student = StudentFactory()

    assert execute("students", "students_list") == ("/api/v1/students/", HTTPStatus.OK)
    assert student.student_no in browser.find_element(By.CSS_SELECTOR, ".live-responses-table").text
    assert browser.complaints() == []


@pytest.mark.needs("chromium", "chromium-driver")
def test_the_example_of_a_request_is_created(browser, execute):
    assert execute("departments", "departments_create") == ("/api/v1/departments/", HTTPStatus.CREATED)
    assert Department.objects.get().name == "Astronomy"
    assert browser.complaints() == []


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.SYSTEM_ADMIN])
def test_the_example_of_a_creation_is_refused_for_nothing_but_the_rows_it_names(document, user_with, client_for, role):
    client = client_for(user_with(role))
    refused = {}

    for url in [url for url, methods in document["paths"].items() if "post" in methods and "{" not in url]:
        operation = document["paths"][url]["post"]
        content = operation.get("requestBody", {}).get("content", {})
        name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        if not name or "/bulk-" in url or operation["tags"] == ["auth"]:
            continue
        [example] = document["components"]["schemas"][name]["examples"]
        errors = client.post(url, example, format="json").json().get("errors", [])
        # Whoever tries it holds a role, and is therefore not erased; an example does not know their password.
        refused[url] = {error["code"] for error in errors} - {*ROWS, "role_held", "wrong_password"}

    assert "/api/v1/departments/" in refused
    assert {url: codes for url, codes in refused.items() if codes} == {}
