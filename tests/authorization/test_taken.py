"""What is taken by a row out of sight is taken for whoever may write there; others hear what they always do."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import models, transaction
from rest_framework.test import APIClient

from accounts.models import Person, User
from accounts.roles import Role
from core.foreseen import foresees_rows_of
from core.models import CustomField
from core.visibility import visible
from students.models import Student
from tests.authorization import matrix
from tests.authorization.bodies import body_for
from tests.authorization.callers import client_of, user_of
from tests.authorization.cast import cast_of_a_department
from tests.authorization.matrix import Operation
from tests.authorization.world import OTHER, OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

CREATIONS = [op for op in matrix.operations() if op.action == "create" and not matrix.takes_a_form(op)]
MANY = [op for op in matrix.operations() if op.action == "bulk_create"]
# Of their models, all rows are seen by everybody, or they are one's own.
UNDECIDED = {
    "ExcuseRequest", "Substitution", "DecisionRun", "SubjectExport", "ExportJob", "ImportJob", "FileAsset",
    "FileUpload", "FileLink", "Project", "ImportantDate", "ProjectCycle", "SupervisorCapacity", "Topic",
    "WebhookEndpoint", "PlannedMilestone",
}  # fmt: skip
# What can be asked for again, by whoever may at all; and what no test makes of anybody but its owner.
UNCLASHING = {
    "POST privacy/holds/", "POST attendance/excuses/", "POST attendance/decision-runs/", "POST exports/",
    "POST privacy/exports/", "POST privacy/erasures/", "POST api-keys/", "POST webhooks/", "POST projects/",
    "POST topics/", "POST project-allocations/", "POST projects/{parent}/important-dates/",
}  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def post(client: APIClient, url: str, body: Any) -> Any:
    return client.post(url, json.dumps(body, default=str), content_type="application/json")


def said(client: APIClient, url: str, body: Any) -> tuple[int, Any]:
    """Return the answer to a creation, without when and to which request, and undo it."""
    with undone():
        answer = post(client, url, body)
        content = {name: value for name, value in answer.json().items() if name not in matrix.VOLATILE}
    return answer.status_code, content


@pytest.fixture
def callers(world: World) -> list[tuple[User, APIClient]]:
    """Provide those who work with everything of the first department."""
    actors = cast_of_a_department(world.sides[OWN])
    users = [user_of(actor) for actor in actors]
    return [(user, client_of(actor, user)) for actor, user in zip(actors, users, strict=True) if user is not None]


def about(body: Mapping[str, Any], person: Person | None) -> dict[str, Any]:
    """Return the body about a person whom the caller can name."""
    return {**body, "person": str(person.pk)} if "person" in body and person is not None else dict(body)


def url_of(world: World, op: Operation, side: str) -> str:
    return op.route.url(**{name: world.row(op.subject, side).pk for name in op.route.names})


@pytest.mark.checklist(5)
@pytest.mark.parametrize("op", CREATIONS, ids=str)
def test_taken_and_free_are_the_same_to_whoever_may_not_write_there(
    op: Operation, world: World, callers: list[tuple[User, APIClient]]
) -> None:
    administrator = world.clients["system_admin"]
    for side in (OWN, OTHER):
        for user, client in callers:
            url, body = url_of(world, op, side), about(body_for(op.route, "POST", world, side), user.person)
            if op.route.model is Student:
                body["student_no"] = "S-4711"
            free = said(client, url, body)
            if free[0] < 300 or sees_all(op, user):
                continue
            with undone():
                made = post(administrator, url, body).status_code
                assert said(client, url, body) == free, (side, user)
                clashes = made < 300 and post(administrator, url, body).status_code == 409
                assert clashes == (str(op) not in UNCLASHING)


@pytest.mark.parametrize("op", MANY, ids=str)
def test_nor_do_many_tell_more_than_one(op: Operation, world: World, callers: list[tuple[User, APIClient]]) -> None:
    administrator = world.clients["system_admin"]
    for user, client in callers:
        url, items = op.route.url(), body_for(op.route, "POST", world, OTHER)["items"]
        body = {"items": [about(item, user.person) for item in items], "mode": "best_effort"}
        free = said(client, url, body)
        if free[0] >= 300 or free[1]["data"]["succeeded"] or sees_all(op, user):
            continue
        with undone():
            post(administrator, url, body)
            assert said(client, url, body) == free, user


def sees_all(op: Operation, user: User) -> bool:
    """Say whether a clash tells nothing that the caller does not see, or may not know by the same rules."""
    model: Any = op.route.model
    return not visible(model._base_manager.all(), user).query.where and bool(visible(model._base_manager.all(), user))


def test_it_is_known_of_every_resource_what_a_creation_makes(world: World) -> None:
    """Of those of which somebody manages some rows, does not see all, and might clash with the others."""
    undecided = set()
    for actor in cast_of_a_department(world.sides[OWN]):
        user = user_of(actor)
        for op in CREATIONS + MANY:
            model = op.route.model
            managed = visible(model._base_manager.all(), user, to="manage").query
            seen = visible(model._base_manager.all(), user).query
            if managed.where and not managed.is_empty() and seen.where and not foresees_rows_of(model):
                undecided.add(model.__name__)
    assert undecided <= UNDECIDED


@pytest.mark.parametrize(
    ("model", "taken"), [("Student", "student_no"), ("Faculty", "employee_no")], ids=["student", "faculty"]
)
def test_whoever_may_write_there_is_told_that_a_number_is_taken(
    model: str, taken: str, world: World, callers: list[tuple[User, APIClient]]
) -> None:
    op = next(op for op in CREATIONS if op.route.model.__name__ == model)
    row: models.Model = world.row(op.route.model, OTHER)
    number = {taken: getattr(row, taken)}
    told = {}
    for side in (OWN, OTHER):
        body = {**body_for(op.route, "POST", world, side), **number}
        told[side] = {said(client, op.route.url(), body)[0] for _, client in callers}

    # Who may not create any at all is refused in either.
    assert told[OWN] - {403} == {409}
    assert told[OTHER] == {403}


def test_a_value_that_is_unique_is_not_probed_beside_another_mistake(
    world: World, callers: list[tuple[User, APIClient]]
) -> None:
    CustomField.objects.create(
        entity_type="students.student", name="badge", label="Badge", field_type="text", unique_values=True
    )
    administrator = world.clients["system_admin"]
    row = world.row(Student, OTHER)
    change = {"custom_fields": {"badge": "B-1"}}
    url = f"/api/v1/students/{row.pk}/"
    assert administrator.patch(url, change, format="json", headers={"If-Match": "*"}).status_code == 200
    op = next(op for op in CREATIONS if op.route.model is Student)

    for _, client in callers:
        for mistake in ({}, {"nonsense": 1}):
            body = body_for(op.route, "POST", world, OTHER) | mistake
            taken, free = (
                said(client, op.route.url(), {**body, "custom_fields": {"badge": value}}) for value in ("B-1", "B-2")
            )
            assert taken == free


def test_a_number_of_a_passport_is_not_probed_by_who_sees_none(
    world: World, callers: list[tuple[User, APIClient]]
) -> None:
    registrar = next(each for each in callers if each[0].email.startswith(Role.REGISTRAR))
    op = next(op for op in CREATIONS if op.route.model.__name__ == "PersonIdentifier")
    row = world.row(op.route.model, OTHER)
    body = {"person": registrar[0].person_id, "scheme": row.scheme, "country": row.country}

    on_record, unknown = (
        said(registrar[1], op.route.url(), {**body, "value": value}) for value in (row.value, "PX-998877")
    )

    assert on_record == unknown
    assert (on_record[0], on_record[1]["code"]) == (403, "out_of_scope")
