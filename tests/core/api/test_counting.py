"""The total of a numbered page: counted once while nothing changes, and never an old or somebody else's."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis import Redis
from rest_framework.test import APIClient

from accounts.roles import Role, ScopeKind
from core.api.counting import tags_read
from core.cache.answers import Answers
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from courses.models import Section
from departments.models import Department
from directory.models import DirectoryEntry
from tests.departments.factories import DepartmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db(transaction=True)
STUDENTS = "/api/v1/students/"


@pytest.fixture(autouse=True)
def lease() -> None:
    """Let readers trust the generations for longer than the test."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.ANSWERS_PREFIX}:*"):
            redis.delete(key)
    assert GenerationKeeper(generations(), lease_seconds=600).tick()


def total(client: APIClient, **question: Any) -> tuple[int, int]:
    """Return the total of a list and how often it took counting."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(STUDENTS, {"page": 1, "page_size": 1, **question})
    counts = sum("COUNT(" in query["sql"] for query in captured)
    return answer.json()["meta"]["pagination"]["total"], counts


def test_a_list_is_counted_once_until_a_row_comes_or_goes(client_for, user_with) -> None:
    registrar = client_for(user_with(Role.REGISTRAR))
    first, second = StudentFactory(), StudentFactory()

    assert total(registrar) == (2, 1)
    assert total(registrar) == (2, 0)
    StudentFactory(department=first.department)
    assert total(registrar) == (3, 1)
    second.delete()
    assert total(registrar) == (2, 1)


def test_what_is_no_number_is_counted_anew(client_for, user_with, monkeypatch) -> None:
    registrar = client_for(user_with(Role.REGISTRAR))
    StudentFactory()
    assert total(registrar) == (1, 1)
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.ANSWERS_PREFIX}:*"):
            redis.set(key, b"p\n\nmany")
    monkeypatch.setattr(
        "core.api.counting.answers", lambda: Answers(settings.REDIS_URL, prefix=settings.ANSWERS_PREFIX)
    )

    assert total(registrar) == (1, 1)


def test_what_is_asked_and_by_whom_is_counted_apart(client_for, user_with) -> None:
    one, other = DepartmentFactory(), DepartmentFactory()
    heads = [
        client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, department.pk)) for department in (one, other)
    ]
    StudentFactory.create_batch(2, department=one)
    StudentFactory(department=other, status="suspended")
    registrar = client_for(user_with(Role.REGISTRAR))

    assert [total(head)[0] for head in heads] == [2, 1]
    assert [total(registrar, status=status)[0] for status in ("active", "suspended")] == [2, 1]
    assert total(heads[0]) == (2, 0)


def test_what_makes_rows_visible_is_part_of_what_was_counted(client_for, user_with) -> None:
    above, apart = DepartmentFactory(), DepartmentFactory()
    head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, above.pk))
    StudentFactory(department=apart)
    before = total(head)[0]

    Department.objects.filter(pk=apart.pk).update(parent=above)
    apart.refresh_from_db()
    apart.parent = above
    apart.save()

    assert (before, total(head)[0]) == (0, 1)


@pytest.mark.parametrize(
    "sql",
    [
        str(DirectoryEntry.objects.values("pk").query),
        'SELECT id FROM "students_student" WHERE admitted_on < CURRENT_DATE',
        'SELECT id FROM "students_student" WHERE created_at < STATEMENT_TIMESTAMP()',
        'SELECT id FROM "audit_event"',
        'WITH found AS (SELECT id FROM "students_student") SELECT id FROM found',
        'SELECT id FROM "students_student" JOIN unnest(ARRAY[1]) ON true',
    ],
)
def test_what_no_generation_speaks_for_is_counted_each_time(sql: str) -> None:
    assert tags_read(sql) is None


def test_every_table_of_a_statement_counts() -> None:
    sections = Section.objects.filter(course__department__code="X", enrollments__student__person__last_name="Y")

    assert tags_read(str(sections.values("pk").query)) == [
        "accounts.person", "courses.course", "courses.section", "departments.department", "enrollment.enrollment",
        "students.student",
    ]  # fmt: skip
