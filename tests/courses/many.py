"""A catalogue and offer large enough that the planner would rather not read a table through.

The id of the n-th row of each table ends with n, so that rows find one another without a search.
"""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

FUNCTION = """
CREATE FUNCTION pg_temp.id_of(n integer) RETURNS uuid LANGUAGE sql
AS $$ SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
"""
# 6,000 courses, 20 terms, 12,000 sections with a meeting each.
CATALOGUE = """
INSERT INTO departments_department (id, code, name, kind, is_active)
SELECT pg_temp.id_of(n), 'D' || n, 'Department ' || n, 'department', true FROM generate_series(1, 40) n;

INSERT INTO departments_campus (id, code, name, time_zone, is_active)
SELECT pg_temp.id_of(1), 'C1', 'Campus', 'UTC', true;

INSERT INTO departments_building (id, campus_id, code, name)
SELECT pg_temp.id_of(1), pg_temp.id_of(1), 'B1', 'Building';

INSERT INTO departments_room (id, building_id, code, name, capacity, exam_capacity, kind, is_bookable)
SELECT pg_temp.id_of(n), pg_temp.id_of(1), 'R' || n, '', 30, 0, 'seminar', true FROM generate_series(1, 200) n;

INSERT INTO departments_academicyear (id, code, name, starts_on, ends_on)
SELECT pg_temp.id_of(1), 'Y1', 'Year', '2026-01-01', '2027-01-01';

INSERT INTO departments_term (id, academic_year_id, code, name, starts_on, ends_on, state)
SELECT pg_temp.id_of(n), pg_temp.id_of(1), 'T' || n, 'Term', '2026-01-01', '2026-06-01', 'registration'
FROM generate_series(1, 20) n;

INSERT INTO accounts_person (id, first_name, last_name, preferred_name, email, phone, gender, nationality)
SELECT pg_temp.id_of(n), md5(n::text), md5((n % 900)::text), '', '', '', '', '' FROM generate_series(1, 3000) n;

INSERT INTO faculty_faculty (id, person_id, employee_no, rank, employment_type, department_id, status, fte)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), 'E' || n, 'lecturer', 'full_time', pg_temp.id_of(1 + n % 40), 'active', 1
FROM generate_series(1, 600) n;

INSERT INTO courses_course (id, code, department_id, level, is_active, current_version_id, created_at)
SELECT pg_temp.id_of(n), 'CS' || lpad(n::text, 5, '0'), pg_temp.id_of(1 + n % 40),
       CASE WHEN n % 50 = 0 THEN 'doctoral' ELSE 'graduate' END, true, pg_temp.id_of(n), now() - n * interval '1 second'
FROM generate_series(1, 6000) n;

INSERT INTO courses_courseversion
    (id, course_id, version_no, title, description, credits, is_repeatable, valid)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), 1, md5(n::text), '', 3, false, '(,)' FROM generate_series(1, 6000) n;

INSERT INTO courses_section
    (id, course_id, course_version_id, term_id, code, status, mode, capacity, waitlist_capacity, created_at)
SELECT pg_temp.id_of(n), pg_temp.id_of(1 + n % 6000), pg_temp.id_of(1 + n % 6000),
       pg_temp.id_of(1 + n % 20), n::text, CASE WHEN n % 100 = 1 THEN 'cancelled' ELSE 'open' END,
       'in_person', 1000, 0, now() - n * interval '1 second'
FROM generate_series(1, 12000) n;

INSERT INTO courses_sectioninstructor (id, section_id, faculty_id, role, share)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), pg_temp.id_of(1 + n % 600), 'primary', 100
FROM generate_series(1, 12000) n;

INSERT INTO courses_meeting (id, weekday, starts_at, ends_at, dates, room_id, conflict_waived, note)
SELECT pg_temp.id_of(n), 1 + n % 7, '09:00', '10:00', '[2026-01-01,2026-06-01)', pg_temp.id_of(1 + n % 200), true, ''
FROM generate_series(1, 12000) n;

INSERT INTO courses_meetingsection (id, meeting_id, section_id)
SELECT pg_temp.id_of(n), pg_temp.id_of(n), pg_temp.id_of(n) FROM generate_series(1, 12000) n;
"""
TABLES = [
    "departments_department", "departments_campus", "departments_building", "departments_room", "departments_term",
    "accounts_person", "faculty_faculty", "courses_course", "courses_courseversion", "courses_section",
    "courses_sectioninstructor", "courses_meeting", "courses_meetingsection",
]  # fmt: skip


def id_of(number):
    return f"00000000-0000-7000-8000-{number:012}"


def plan_of(client, url, table):
    """Return how the rows of a table that a URL lists were found."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, response.json()
    assert response.json()["data"]
    sql = next(query["sql"] for query in reversed(captured) if f'FROM "{table}"' in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def read_through(plan, *tables):
    """Return which of the tables a plan read from end to end."""
    scans = re.findall(r"Seq Scan on (\w+).*?\(actual rows", plan)
    return [table for table in tables if table in scans]


def rows_read_of(plan, table):
    """Return how many rows of a table the steps of a plan gave or threw away."""
    steps = re.split(r"->", plan)
    found = 0
    for step in steps:
        if re.search(rf" on {table}\b", step):
            given = re.findall(r"actual rows=(\d+)(?:\.\d+)? loops=(\d+)", step)
            thrown = re.findall(r"Rows Removed by Filter: (\d+)", step)
            found += sum(int(rows) * int(loops) for rows, loops in given) + sum(map(int, thrown))
    return found
