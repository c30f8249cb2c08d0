"""Headless Chromium, for tests that look at a page as a person's browser does."""

import json
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from campushub360.local.packages import find_program

CHROMIUM = find_program("chromium") or find_program("google-chrome")
DRIVER = find_program("chromedriver")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,1200")


class Browser(webdriver.Chrome):
    """A browser that remembers what its console said and what it asked of whom."""

    def complaints(self) -> list[str]:
        """Return what stands in the console since the last look."""
        return [entry["message"] for entry in self.get_log("browser")]

    def requested(self) -> list[str]:
        """Return the addresses asked since the last look, without those that the page carries in itself."""
        messages = [json.loads(entry["message"])["message"] for entry in self.get_log("performance")]
        urls = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith("data:")]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser of the test's own."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = Browser(service=Service(DRIVER), options=options)
    opened.implicitly_wait(30)
    yield opened
    opened.quit()
