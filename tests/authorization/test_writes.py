"""What a body may not do: write undeclared names, name rows out of sight, hide a bad item among good ones."""

import json
from typing import Any

import pytest
from django.db import transaction
from rest_framework.serializers import BaseSerializer

from core.api.fields import VisibleRelatedField
from core.visibility import visible
from tests.authorization import matrix
from tests.authorization.bodies import body_for
from tests.authorization.expectations import reviewed
from tests.authorization.matrix import Operation
from tests.authorization.test_answers import WHOEVER
from tests.authorization.test_answers import send as ask
from tests.authorization.world import MISSING, MISSING_ID, OTHER, OWN, World
from tests.contract.operations import operations as writes

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]


def writer_class(op: Operation) -> Any:
    """Return the shape of the body of an operation; None where it takes none."""
    view: Any = op.route.view(action=op.action, request=None, kwargs={}, format_kwarg=None)
    return view.get_request_serializer()


WRITERS = [
    op for op in matrix.operations()
    if op.action in ("create", "partial_update") and not matrix.takes_a_form(op) and "parent" not in op.route.names
    and writer_class(op) is not None  # a part of a file, for one, is no JSON
]  # fmt: skip
# Those that somebody in charge gets through with; an erasure waits for the one that was asked for already.
ACCEPTED = [op for op in WRITERS if reviewed().line(op).cell("system_admin").status(OWN) < 300]
BULK = [op for op in matrix.operations() if op.action.startswith("bulk_")]
# Steps, whose bodies are none of a row.
STEPS = [
    op for op in matrix.operations()
    if op.action not in ("create", "update", "partial_update") and hasattr(op.route.view, "get_request_serializer")
    and "parent" not in op.route.names and not op.action.startswith("bulk_") and not matrix.takes_a_form(op)
    and writer_class(op) is not None
]  # fmt: skip
# What somebody would try whom the columns of the model do not tell.
TEMPTING = {"is_superuser", "owner", "role", "gpa", "permissions", "token_version", "password", "deleted_at"}


@pytest.mark.checklist(7)
def test_a_name_that_nothing_declares_is_refused_by_every_other_write(world: World) -> None:
    faults = []
    for op in (matrix.Operation(each.route, each.method) for each in writes()):
        declared, body = declared_by(op), {}
        if op in WRITERS or "parent" in op.route.names:
            continue
        tried = dict.fromkeys(TEMPTING - declared, "1")
        if op.action.startswith("bulk_"):
            body = {"items": [item | tried for item in body_for(op.route, op.method, world, OWN)["items"]]}
        for actor in WHOEVER:
            answer = ask(world, op, actor, body=json.dumps(body or tried).encode())
            if answer.status not in (401, 403):
                unwritten = {"unknown_field", "read_only_field"}
                refused = {field.rpartition(".")[2] for code, field in answer.errors if code in unwritten}
                if answer.status != 400 or tried.keys() - refused:
                    faults.append(f"{op} lets {actor} name {sorted(tried.keys() - refused)}: {answer.text[:300]}")
                break

    assert not faults, "\n" + "\n".join(faults)


def declared_by(op: Operation) -> set[str]:
    """Return the names that the body of an operation, or its items, may have."""
    names = {name for each in writes() if (each.route, each.method) == (op.route, op.method) for name in each.fields}
    if op.action in ("bulk_create", "bulk_update"):
        names |= set(writer_of(op).fields)
    return names


def writer_of(op: Operation) -> BaseSerializer[Any]:
    return writer_class(op)()


def send(world: World, op: Operation, body: Any, actor: str = "system_admin") -> Any:
    """Send a body about the own row in a savepoint; return the answer and the row as it then was."""
    row = world.row(op.route.model, OWN)
    with transaction.atomic():
        url = op.route.url(pk=row.pk) if "pk" in op.route.names else op.route.path
        response = getattr(world.clients[actor], op.method.lower())(url, body, format="json")
        answer = response.json() if response.content else {}
        pk = answer["data"]["id"] if response.status_code == 201 else row.pk
        columns = op.route.model._base_manager.filter(pk=pk).values().get()
        transaction.set_rollback(True)
    return response.status_code, answer, columns


@pytest.mark.checklist(7)
@pytest.mark.parametrize("op", WRITERS, ids=str)
def test_a_name_that_no_writer_declares_is_refused(op: Operation, world: World) -> None:
    shown = set(op.route.view.detail_serializer_class(context={}).fields)
    columns = {field.name for field in op.route.model._meta.get_fields()}
    undeclared = (columns | TEMPTING) - set(writer_of(op).fields) - shown

    status, answer, _ = send(world, op, body_for(op.route, op.method, world, OWN) | dict.fromkeys(undeclared, "1"))

    assert status == 400
    assert {error["field"] for error in answer["errors"]} == undeclared
    assert {error["code"] for error in answer["errors"]} == {"unknown_field"}


@pytest.mark.checklist(7)
@pytest.mark.parametrize("op", ACCEPTED, ids=str)
def test_a_name_that_is_only_read_is_taken_as_it_stands_and_otherwise_refused(op: Operation, world: World) -> None:
    body = body_for(op.route, op.method, world, OWN)
    only_read = set(op.route.view.detail_serializer_class(context={}).fields) - set(writer_of(op).fields)

    status, answer, row = send(world, op, body | dict.fromkeys(only_read, "1"))

    assert (status, {error["code"] for error in answer["errors"]}) == (400, {"read_only_field"})
    assert {error["field"] for error in answer["errors"]} == only_read
    if op.action == "partial_update":
        read = world.clients["system_admin"].get(op.route.url(pk=row["id"])).json()["data"]
        status, answer, _ = send(world, op, body | {name: read[name] for name in only_read})
        assert status == 200, answer


@pytest.mark.checklist(8)
@pytest.mark.parametrize("op", [*WRITERS, *STEPS], ids=str)
def test_an_id_out_of_sight_answers_as_a_missing_one(op: Operation, world: World) -> None:
    line = reviewed().line(op)
    relations = {name: f for name, f in writer_of(op).fields.items() if isinstance(f, VisibleRelatedField)}
    for actor, user in world.users.items():
        if line.cell(actor).is_refused:
            continue
        for name, relation in relations.items():
            model = relation.queryset.model
            if model not in world.rows or visible(
                model.objects.filter(pk=world.row(model, OTHER).pk), user, to=relation.sight
            ):
                continue
            body = body_for(op.route, op.method, world, OWN)
            hidden = send(world, op, body | {name: str(world.row(model, OTHER).pk)}, actor)[:2]
            missing = send(world, op, body | {name: str(MISSING_ID)}, actor)[:2]
            for _, answer in (hidden, missing):
                answer.pop("timestamp"), answer.pop("request_id")
            assert hidden[0] == 400, f"{op} lets {actor} name the other {name}"
            assert hidden == missing, f"{op} tells {actor} that the other {name} exists"


def everything() -> dict[str, Any]:
    """Return what all tables hold, but for those that put on record what was refused."""
    return {table: matrix.fingerprint(table) for table in matrix.tables()[0]}


def of_nobody_else(world: World, op: Operation) -> list[dict[str, Any]]:
    """Return what deletes rows that nothing refers to: new ones."""
    creation = next(each for each in BULK if each.action == "bulk_create" and each.route.model is op.route.model)
    items = body_for(creation.route, creation.method, world, OWN)["items"]
    made = world.clients["system_admin"].post(creation.route.path, {"items": items}, format="json").json()
    return [{"id": result["id"]} for result in made["data"]["results"]]


@pytest.mark.checklist(9)
@pytest.mark.parametrize("op", BULK, ids=str)
def test_one_bad_item_undoes_all(op: Operation, world: World) -> None:
    def sent(items: list[dict[str, Any]]) -> int:
        status: int = world.clients["system_admin"].post(op.route.path, {"items": items}, format="json").status_code
        return status

    good = (
        of_nobody_else(world, op) if op.action == "bulk_delete" else body_for(op.route, op.method, world, OWN)["items"]
    )
    bad = (
        [{"nothing": "known"}] if op.action == "bulk_create" else body_for(op.route, op.method, world, MISSING)["items"]
    )
    before = everything()

    for items in (good + bad, bad + good):
        assert 400 <= sent(items) < 500
        assert everything() == before
    assert sent(good) == 200
    assert everything() != before


@pytest.mark.checklist(9)
@pytest.mark.parametrize("op", [op for op in BULK if op.action == "bulk_update"], ids=str)
def test_one_item_out_of_scope_undoes_all(op: Operation, world: World) -> None:
    items = [item for target in (OWN, OTHER) for item in body_for(op.route, op.method, world, target)["items"]]
    before = everything()
    response = world.clients["department_head"].post(op.route.path, {"items": items}, format="json")

    assert response.status_code in (403, 404), response.content
    assert everything() == before
