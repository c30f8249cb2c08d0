"""The commonest questions about courses, sections and meetings are answered by indexes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.courses.many import CATALOGUE, FUNCTION, TABLES, id_of, plan_of, read_through, rows_read_of
from tests.many import many_rows

pytestmark = pytest.mark.django_db

COURSES, SECTIONS, MEETINGS = (f"/api/v1/{name}/" for name in ("courses", "sections", "meetings"))
QUESTIONS = {
    "a course by code": f"{COURSES}?code=CS00777",
    "courses by department": f"{COURSES}?department={id_of(7)}",
    "courses by level": f"{COURSES}?level=doctoral",
    "courses in order of codes": f"{COURSES}?ordering=code",
    "courses by words": f"{COURSES}?search=c4ca4238a0b923820dcc509a6f75849b",
    "sections by term": f"{SECTIONS}?term={id_of(3)}",
    "sections by course": f"{SECTIONS}?course={id_of(3)}",
    "sections by term and status": f"{SECTIONS}?term={id_of(2)}&status=cancelled",
    "sections by instructor": f"{SECTIONS}?instructor={id_of(3)}",
    "sections by room": f"{SECTIONS}?room={id_of(3)}",
    "sections by department": f"{SECTIONS}?department={id_of(3)}&term={id_of(2)}",
    "latest sections": SECTIONS,
    "sections by words": f"{SECTIONS}?search=cs00777",
    "meetings by section": f"{MEETINGS}?section={id_of(3)}",
    "meetings by room": f"{MEETINGS}?room={id_of(3)}",
    "the timetable": MEETINGS,
}


@pytest.fixture(scope="module")
def large_catalogue(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep a large catalogue during the tests of this module."""
    with many_rows(django_db_blocker, [FUNCTION, CATALOGUE], TABLES):
        yield


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_large_table_is_read_through(registrar_client, large_catalogue, question):
    url = QUESTIONS[question]
    table = f"courses_{url.split('/')[3].rstrip('s')}"

    plan = plan_of(registrar_client, url, table)

    # The few columns of all courses that a row shows may be cheaper to read through than to look up.
    found = read_through(plan, table, "courses_section", "courses_meeting", "courses_meetingsection")
    assert found == [], plan


@pytest.mark.parametrize("url", [COURSES, SECTIONS, MEETINGS])
def test_a_later_page_begins_where_the_one_before_ended(registrar_client, large_catalogue, url):
    table = f"courses_{url.split('/')[3].rstrip('s')}"
    url = f"{url}?page_size=25"
    for _ in range(8):
        url = registrar_client.get(url).json()["meta"]["pagination"]["next"]

    plan = plan_of(registrar_client, url, table)

    assert rows_read_of(plan, table) < 1000, plan
