"""The page of an import in a real browser: its steps are buttons, and it follows the worker by itself."""

import pytest
from django.urls import reverse
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from departments.models import Department
from interop import services
from tests.browser import browser
from tests.interop.importing import table

__all__ = ["browser"]

pytestmark = [pytest.mark.needs("chromium", "chromium-driver"), pytest.mark.django_db(transaction=True)]
PATIENCE = 30


@pytest.fixture
def job(tmp_path, registrar):
    rows = [{"code": f"D{number}", "name": f"Department {number}"} for number in range(3)]
    found = services.from_path(by=registrar, kind="departments", path=table(tmp_path / "departments.csv", *rows))
    return services.validate(found.pk, by=None)


def test_an_import_is_applied_and_taken_back_from_its_page(browser, live_server, client, registrar, job):
    client.force_login(registrar)
    browser.get(f"{live_server.url}/admin/login/")
    browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    page = reverse("admin:interop_importjob_change", args=[job.pk])
    browser.get(f"{live_server.url}{page}")

    def press(label):
        browser.find_element(By.CSS_SELECTOR, f"input[value='{label}']").click()

    def until_shown(state):
        WebDriverWait(browser, PATIENCE).until(
            lambda _: state in browser.find_element(By.CSS_SELECTOR, ".field-state").text
        )

    press("Apply")
    assert "keeps itself up to date" in browser.find_element(By.CSS_SELECTOR, "[role=status]").text
    services.apply(job.pk, by=None)
    until_shown("Applied")
    assert Department.objects.count() == 3

    press("Take back")
    until_shown("Reverting")
    services.take_back(job.pk)
    until_shown("Reverted")
    assert browser.complaints() == []
    assert not Department.objects.exists()
