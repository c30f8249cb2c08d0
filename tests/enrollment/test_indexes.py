"""The commonest questions about enrolments are answered by indexes, however many there are."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.courses.many import CATALOGUE, FUNCTION, TABLES, id_of, plan_of, read_through, rows_read_of
from tests.many import many_rows

pytestmark = pytest.mark.django_db
LIST = "/api/v1/enrollments/"

# 3,000 students with 20 enrolments each, 60,000 in all, 5 in each section.
ENROLMENTS = """
INSERT INTO students_student (id, person_id, student_no, status, department_id, preferred_contact)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), 'S' || lpad(n::text, 6, '0'), 'active', pg_temp.id_of(1 + n % 40), 'email'
FROM generate_series(1, 3000) n;

INSERT INTO enrollment_enrollment
    (id, student_id, section_id, course_id, term_id, status, credits, grade_basis, attempt_no, is_repeatable, result,
     source, created_at, enrolled_at, dropped_at)
SELECT pg_temp.id_of(n), pg_temp.id_of(1 + n % 3000), section.id, section.course_id, section.term_id,
       CASE WHEN n % 500 = 0 THEN 'dropped' ELSE 'enrolled' END, 3, 'letter', 1, true, '', 'manual',
       now() - n * interval '1 second', now() - n * interval '1 second', CASE WHEN n % 500 = 0 THEN now() END
FROM generate_series(1, 60000) n JOIN courses_section section ON section.id = pg_temp.id_of(1 + (n / 5) % 12000);
"""
BIG = [*TABLES, "students_student", "enrollment_enrollment"]
QUESTIONS = {
    "by student": f"?student={id_of(77)}",
    "by section": f"?section={id_of(77)}",
    "by section and status": f"?section={id_of(77)}&status=enrolled",
    "by course": f"?course={id_of(77)}",
    "by term": f"?term={id_of(7)}",
    "by student and term": f"?student={id_of(77)}&term={id_of(17)}",
    "those enrolled": "?status=enrolled",
    "the latest": "",
    "by the student's number": "?search=S000777",
    "by words": "?search=c4ca4238a0b923820dcc509a6f75849b",
}


@pytest.fixture(scope="module")
def many_enrolments(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep 60,000 enrolments during the tests of this module."""
    with many_rows(django_db_blocker, [FUNCTION, CATALOGUE, ENROLMENTS], BIG):
        yield


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_large_table_is_read_through(registrar_client, many_enrolments, question):
    plan = plan_of(registrar_client, f"{LIST}{QUESTIONS[question]}", "enrollment_enrollment")

    assert read_through(plan, "enrollment_enrollment", "courses_section", "students_student") == [], plan


@pytest.mark.parametrize("query", ["", f"&term={id_of(7)}", "&status=enrolled"])
def test_a_later_page_begins_where_the_one_before_ended(registrar_client, many_enrolments, query):
    url = f"{LIST}?page_size=200{query}"
    for _ in range(8):
        url = registrar_client.get(url).json()["meta"]["pagination"]["next"]

    plan = plan_of(registrar_client, url, "enrollment_enrollment")

    assert rows_read_of(plan, "enrollment_enrollment") < 1000, plan


def test_a_roster_and_a_students_enrolments_are_found_at_once(registrar_client, many_enrolments):
    for url in (f"/api/v1/sections/{id_of(77)}/roster/", f"/api/v1/students/{id_of(77)}/enrollments/"):
        plan = plan_of(registrar_client, url, "enrollment_enrollment")

        assert rows_read_of(plan, "enrollment_enrollment") < 100, plan


def test_what_an_instructor_sees_is_found_by_index(user_with, client_for, many_enrolments):
    from accounts.models import Person

    instructor = user_with("faculty", "self", person=Person.objects.get(pk=id_of(7)))

    plan = plan_of(client_for(instructor), LIST, "enrollment_enrollment")

    assert read_through(plan, "enrollment_enrollment") == [], plan
    assert rows_read_of(plan, "enrollment_enrollment") < 1000, plan


def test_the_triggers_counted_what_one_statement_inserted(many_enrolments):
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(enrolled_count), max(enrolled_count) FROM courses_section")

        assert cursor.fetchone() == (60_000 - 120, 5)
