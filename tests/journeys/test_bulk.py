"""A thousand rows in one request: what they cost, what is said of each, and that nothing is left of a refused one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.roles import Role, ScopeKind
from core.models import OutboxEvent
from departments.models import Department
from students.models import ProgramEnrollment, Student
from tests.departments.factories import DepartmentFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db
DEPARTMENTS = "/api/v1/departments/"
Items = list[dict[str, Any]]
# How many statements a row may take, besides what a hundred of them share.
FEW, MANY = 10, 210
MOST_SHARED = 50
# By the kind of row: for a row that is made, changed and deleted.
MOST: dict[str, tuple[float, float, float]] = {"departments": (1, 1, 0), "students": (2, 1, 0), "courses": (2, 1, 0)}


@pytest.fixture
def new_items() -> Callable[[str, str, int], Items]:
    """Return a function that makes items of new rows of a kind."""
    department = str(DepartmentFactory().pk)

    def make(kind: str, letter: str, number: int) -> Items:
        codes = [f"{letter}{place:04}" for place in range(number)]
        shapes: dict[str, Callable[[str], dict[str, Any]]] = {
            "departments": lambda code: {"code": code, "name": code, "parent": department},
            "students": lambda code: {"student_no": code, "last_name": code, "department": department},
            "courses": lambda code: {"code": code, "title": code, "credits": "3", "department": department},
        }
        return [shapes[kind](code) for code in codes]

    return make


CHANGES = {"departments": {"name": "Other"}, "students": {"last_name": "Other"}, "courses": {"title": "Other"}}


def sent(client: APIClient, kind: str, step: str, items: Items) -> tuple[Items, int]:
    """Send a bulk request that is carried out; return its results, and how many statements it took."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(f"/api/v1/{kind}/bulk-{step}/", {"items": items}, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["data"]["refused"] == 0
    return answer.json()["data"]["results"], len(asked)


@pytest.mark.parametrize("kind", MOST)
def test_a_row_takes_what_it_writes_and_shares_the_rest(registrar_client, new_items, kind):
    costs: dict[str, dict[int, int]] = {"create": {}, "update": {}, "delete": {}}

    for number in (1, FEW, MANY):  # the first asks what is remembered from then on
        made, costs["create"][number] = sent(registrar_client, kind, "create", new_items(kind, f"N{number}-", number))
        ids = [{"id": row["id"]} for row in made]
        changes = [{**row, **CHANGES[kind]} for row in ids]
        _, costs["update"][number] = sent(registrar_client, kind, "update", changes)
        _, costs["delete"][number] = sent(registrar_client, kind, "delete", ids)

    for most, cost in zip(MOST[kind], costs.values(), strict=True):
        assert cost[MANY] - cost[FEW] <= most * (MANY - FEW) + MOST_SHARED * (MANY // 100), costs


@pytest.mark.slow
def test_a_thousand_rows_are_made_changed_and_deleted_and_each_is_told_in_its_place(registrar_client, new_items):
    items = new_items("departments", "D", 1000)[::-1]
    before = Department.objects.count()

    made, _ = sent(registrar_client, "departments", "create", items)
    codes = dict(Department.objects.values_list("pk", "code"))
    assert [row["index"] for row in made] == list(range(1000))
    assert [codes[UUID(row["id"])] for row in made] == [item["code"] for item in items]

    changes = [{"id": row["id"], "name": f"Department {place}"} for place, row in enumerate(made)]
    changed, _ = sent(registrar_client, "departments", "update", changes)
    names = {str(pk): name for pk, name in Department.objects.values_list("pk", "name")}
    assert [(row["id"], names[row["id"]]) for row in changed] == [(row["id"], row["name"]) for row in changes]

    deleted, _ = sent(registrar_client, "departments", "delete", [{"id": row["id"]} for row in made])
    assert [row["id"] for row in deleted] == [row["id"] for row in made]
    assert Department.objects.count() == before


@pytest.mark.slow
def test_a_bad_item_among_a_thousand_is_named_alone_and_leaves_nothing(registrar_client, new_items):
    items = new_items("students", "S", 1000)
    items[637]["student_no"] = items[200]["student_no"]
    events = OutboxEvent.objects.count()

    answer = registrar_client.post("/api/v1/students/bulk-create/", {"items": items}, format="json")

    assert answer.status_code == 409
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("items.637.student_no", "student_no_taken")
    ]
    assert not Student.objects.exists()
    assert OutboxEvent.objects.count() == events


def test_items_beside_a_bad_one_are_written_if_that_is_wanted(registrar_client, new_items):
    items = new_items("students", "S", 12)
    items[3]["last_name"] = ""
    items[7]["student_no"] = items[5]["student_no"]

    answer = registrar_client.post(
        "/api/v1/students/bulk-create/", {"items": items, "mode": "best_effort"}, format="json"
    )

    results = answer.json()["data"]["results"]
    assert [row["index"] for row in results if row["status"] == "refused"] == [3, 7]
    assert Student.objects.count() == 10
    assert OutboxEvent.objects.filter(name="students.student.created").count() == 10


def test_what_a_row_reads_of_others_is_what_the_items_before_left(registrar_client):
    """Whoever becomes the primary one takes it from the other, whatever was read of that before."""
    student = StudentFactory()
    first, second = (ProgramEnrollmentFactory(student=student, is_primary=primary) for primary in (True, False))
    items = [{"id": str(second.pk), "is_primary": True}, {"id": str(first.pk), "is_primary": True}]

    answer = registrar_client.post("/api/v1/program-enrollments/bulk-update/", {"items": items}, format="json")

    assert answer.status_code == 200, answer.json()
    assert list(ProgramEnrollment.objects.filter(is_primary=True)) == [first]


def test_a_department_that_moves_along_with_the_one_above_it_is_changed_all_the_same(registrar_client):
    top, above = DepartmentFactory(), DepartmentFactory()
    below = DepartmentFactory(parent=above)
    items = [{"id": str(above.pk), "parent": str(top.pk)}, {"id": str(below.pk), "name": "Below"}]

    answer = registrar_client.post(f"{DEPARTMENTS}bulk-update/", {"items": items}, format="json")

    assert answer.status_code == 200, answer.json()
    below.refresh_from_db()
    assert (below.name, below.lineage) == ("Below", [top.pk, above.pk, below.pk])


def test_whoever_manages_one_unit_makes_nothing_in_another_among_their_own(user_with, client_for):
    mine, other = DepartmentFactory(), DepartmentFactory()
    client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.pk))
    rows = [DepartmentFactory(parent=mine), DepartmentFactory(parent=mine), DepartmentFactory(parent=other)]
    items = [{"id": str(row.pk), "name": "Mine"} for row in rows]

    whole = client.post(f"{DEPARTMENTS}bulk-update/", {"items": items}, format="json")
    rest = client.post(f"{DEPARTMENTS}bulk-update/", {"items": items, "mode": "best_effort"}, format="json")

    assert [(error["field"], error["code"]) for error in whole.json()["errors"]] == [("items.2", "out_of_scope")]
    assert [row["status"] for row in rest.json()["data"]["results"]] == ["updated", "updated", "refused"]
    assert Department.objects.filter(name="Mine").count() == 2
