"""Departments are moved while others change what lies below them, and roles are given while accounts change."""

import pytest

from accounts.roles import Role
from departments.models import Campus, Department
from tests.accounts.factories import UserFactory
from tests.departments.factories import DepartmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = range(2)


def posting(client, path, items):
    body = {"items": items, "mode": "best_effort"}
    return lambda: client.post(f"/api/v1/{path}/", body, format="json").status_code


@pytest.fixture
def clients(user_with, client_for):
    administrator = user_with(Role.SYSTEM_ADMIN)
    return [client_for(administrator) for _ in range(3)]


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_tree_is_moved_while_what_lies_below_is_changed(clients, turn):
    top, other = DepartmentFactory(), DepartmentFactory()
    below = [DepartmentFactory(parent=top) for _ in range(4)]
    deeper = [DepartmentFactory(parent=row) for row in below]
    renamed = [{"id": str(row.pk), "name": f"N{turn}"} for row in [*deeper, *below, top][::-1]]

    outcomes = at_once(
        posting(clients[0], "departments/bulk-update", [{"id": str(top.pk), "parent": str(other.pk)}]),
        posting(clients[1], "departments/bulk-update", renamed),
        posting(clients[2], "departments/bulk-update", [{"id": str(deeper[-1].pk), "parent": None}]),
    )

    assert outcomes == [200] * 3
    assert Department.objects.get(pk=below[0].pk).lineage == [other.pk, top.pk, below[0].pk]


@pytest.mark.parametrize("turn", ROUNDS)
def test_roles_are_given_in_any_order_while_accounts_are_changed(clients, turn):
    users = UserFactory.create_batch(6)
    given = [{"user": str(user.pk), "role": "faculty"} for user in users]
    taught = [{"user": str(user.pk), "role": "student"} for user in reversed(users)]
    changed = [{"id": str(user.pk), "is_staff": True} for user in users]

    outcomes = at_once(
        posting(clients[0], "role-assignments/bulk-create", given),
        posting(clients[1], "role-assignments/bulk-create", taught),
        posting(clients[2], "users/bulk-update", changed),
    )

    assert outcomes == [200] * 3


def test_the_same_codes_are_taken_in_opposite_orders(clients):
    codes = [f"C{number:02}" for number in range(30)]

    def creating(client, order):
        body = {"items": [{"code": code, "name": code} for code in order], "mode": "best_effort"}
        return lambda: client.post("/api/v1/campuses/bulk-create/", body, format="json")

    answers = at_once(creating(clients[0], codes), creating(clients[1], codes[::-1]))

    assert [answer.status_code for answer in answers] == [200, 200]
    results = [answer.json()["data"]["results"] for answer in answers]
    assert [[result["index"] for result in each] for each in results] == [list(range(30))] * 2
    made = [
        {code: result["id"] for code, result in zip(order, each, strict=True) if result["status"] == "created"}
        for order, each in zip((codes, codes[::-1]), results, strict=True)
    ]
    assert {code: str(pk) for code, pk in Campus.objects.values_list("code", "pk")} == made[0] | made[1]
    assert not made[0].keys() & made[1].keys()
