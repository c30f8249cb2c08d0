"""The commonest questions about students are answered by indexes, however many students there are."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.many import many_rows

pytestmark = pytest.mark.django_db
LIST = "/api/v1/students/"
TABLES = [
    "accounts_person",
    "departments_department",
    "departments_program",
    "students_student",
    "students_programenrollment",
]
# The id of the n-th row of each table ends with n, so that rows find one another without a search.
ROWS = """
CREATE FUNCTION pg_temp.id_of(n integer) RETURNS uuid LANGUAGE sql
AS $$ SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;

INSERT INTO departments_department (id, code, name, kind, is_active)
SELECT pg_temp.id_of(n), 'D' || n, 'Department ' || n, 'department', true FROM generate_series(1, 40) n;

INSERT INTO departments_program (id, code, name, level, department_id, total_credits, is_active)
SELECT pg_temp.id_of(n), 'P' || n, 'Program ' || n, 'bachelor', pg_temp.id_of(1 + n % 40), 180, true
FROM generate_series(1, 80) n;

INSERT INTO accounts_person (id, first_name, last_name, preferred_name, email, phone, gender, nationality)
SELECT pg_temp.id_of(n), md5(n::text), md5((n % 9000)::text), '', 'p' || n || '@example.org', '', '', ''
FROM generate_series(1, 21000) n;

INSERT INTO students_student
    (id, person_id, student_no, status, department_id, admitted_on, preferred_contact, created_at, advisor_id)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), 'S' || lpad(n::text, 6, '0'),
       CASE WHEN n % 50 = 0 THEN 'suspended' ELSE 'active' END, pg_temp.id_of(1 + n % 40),
       CASE WHEN n % 10 > 0 THEN date '2020-01-01' + n % 2000 END, 'email', now() - n * interval '1 second',
       CASE WHEN n BETWEEN 100 AND 130 THEN pg_temp.id_of(1) END
FROM generate_series(1, 20000) n;

INSERT INTO students_programenrollment (id, student_id, program_id, cohort, is_primary, status)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), pg_temp.id_of(1 + n % 80), (2010 + n % 16)::text, true, 'active'
FROM generate_series(1, 20000) n;
"""


@pytest.fixture(scope="module")
def many_students(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep 20,000 students during the tests of this module."""
    with many_rows(django_db_blocker, [ROWS], TABLES):
        yield


def id_of(number):
    return f"00000000-0000-7000-8000-{number:012}"


def plan_of(client, url):
    """Return how the rows that a URL lists were found."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, response.json()
    assert response.json()["data"]
    sql = next(query["sql"] for query in reversed(captured) if 'FROM "students_student"' in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {sql}")
        # A step that was planned and never taken read nothing.
        return "\n".join(line for (line,) in cursor.fetchall() if "never executed" not in line)


QUESTIONS = {
    "by number": "student_no=S012345",
    "by status": "status=suspended",
    "by department": f"department={id_of(7)}",
    "by program": f"program={id_of(7)}",
    "by program and cohort": f"program={id_of(7)}&cohort=2016",
    "by advisor": f"advisor={id_of(1)}",
    "by admission": "admitted_after=2024-01-01&admitted_before=2024-01-31",
    "by e-mail": "email=P777@example.org",
    "in order of numbers": "ordering=student_no",
    "in order of names": "ordering=last_name",
    "in reverse order of names": "ordering=-last_name",
    "in order of admission": "ordering=admitted_on",
    "latest first": "ordering=-created_at",
    "by words": "search=c4ca4238a0b923820dcc509a6f75849b",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_table_of_people_is_read_through(registrar_client, many_students, question):
    plan = plan_of(registrar_client, f"{LIST}?{QUESTIONS[question]}")

    for table in ("students_student", "accounts_person", "students_programenrollment"):
        assert f"Seq Scan on {table}" not in plan, plan


@pytest.mark.parametrize("ordering", ["student_no", "last_name", "-last_name", "admitted_on", "-created_at"])
def test_a_later_page_begins_where_the_one_before_ended(registrar_client, many_students, ordering):
    url = f"{LIST}?page_size=200&ordering={ordering}"
    for _ in range(8):
        url = registrar_client.get(url).json()["meta"]["pagination"]["next"]

    plan = plan_of(registrar_client, url)

    assert "Seq Scan on students_student" not in plan, plan
    assert "Seq Scan on accounts_person" not in plan, plan
    assert read_rows(plan) < 1000, plan


def read_rows(plan):
    """Return the greatest number of rows that one step of a plan gave or threw away."""
    given = [int(rows) * int(loops) for rows, loops in re.findall(r"actual rows=(\d+)(?:\.\d+)? loops=(\d+)", plan)]
    thrown = [int(rows) for rows in re.findall(r"Rows Removed by \w+(?: \w+)*: (\d+)", plan)]
    return max([*given, *thrown])
