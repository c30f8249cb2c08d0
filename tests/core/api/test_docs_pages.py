"""The documentation pages in a real browser: shown whole, under their own policy, from this server alone."""

import pytest
from selenium.webdriver.common.by import By

pytestmark = [
    pytest.mark.needs("chromium", "chromium-driver"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.core.api.test_schema"),
]


def test_swagger_ui_shows_every_operation_and_its_shapes(browser, live_server):
    browser.get(f"{live_server.url}/api/v1/docs/")
    browser.find_element(By.CSS_SELECTOR, "#operations-tag-items").click()
    browser.find_element(By.CSS_SELECTOR, "#operations-items-items_create .opblock-summary-control").click()
    browser.find_element(By.CSS_SELECTOR, "#operations-items-items_create .responses-table")

    assert "OAS 3.1" in browser.find_element(By.CSS_SELECTOR, ".info").text
    assert len(browser.find_elements(By.CSS_SELECTOR, "[id^=operations-items-]")) == 11
    assert "idempotency_mismatch" in browser.find_element(By.CSS_SELECTOR, "#operations-items-items_create").text
    assert browser.complaints() == []
    assert all(url.startswith(live_server.url) for url in browser.requested())


def test_redoc_shows_every_operation_and_its_examples(browser, live_server):
    browser.get(f"{live_server.url}/api/v1/docs/redoc/")
    browser.find_element(By.CSS_SELECTOR, "[id='operation/items_create']")

    page = browser.find_element(By.TAG_NAME, "body")
    assert "Create one item" in page.text
    assert '"success": true' in page.text
    # The styles that it writes at run time are in force, so the policy let them through.
    assert page.find_element(By.CSS_SELECTOR, ".menu-content").value_of_css_property("position") == "sticky"
    assert browser.complaints() == []
    assert all(url.startswith(live_server.url) for url in browser.requested())
