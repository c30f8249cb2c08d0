"""Every operation answers what the OpenAPI document says it may, whatever the document lets a client send.

schemathesis makes up requests from the document, valid and invalid ones. Of each operation that writes, the first goes
through WSGI for everybody: each role, by its token, a program, by its key, and nobody. All others go twice, for
somebody who may not do such a thing and for somebody who may. So that they meet rows, ids are drawn from those that
exist.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import Person
from accounts.roles import Role, permissions_of
from campushub360.wsgi import application
from courses.models import CourseVersion
from tests.accounts.keys import caller, key_of, program
from tests.authorization import matrix
from tests.authorization.expectations import reviewed
from tests.contract.conftest import client_of
from tests.contract.operations import Operation, document, operations
from tests.contract.routes import routes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("university"),
    pytest.mark.sweep,
    pytest.mark.slow,
]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Whoever asks for some fields gets no others, required as they may be.
CHECKS_OF_A_PART = [check for check in CHECKS if check is not response_schema_conformance]
# To make one up takes three times as long as to send it.
EXAMPLES = 3
SOME = 7
NOBODY = "nobody"
PROGRAM = "program"
CALLERS = [*Role.values, PROGRAM, NOBODY]
# Who stands for them in the matrix of who may do what, where it is not somebody of that name.
ACTORS = {Role.FACULTY: "instructor", PROGRAM: "integration", NOBODY: "anonymous"}

schema = schemathesis.openapi.from_dict(document())
schema.app = application
schema.config.generation.update(allow_x00=False)  # which the parser refuses everywhere alike
schema.config.phases.coverage.enabled = False  # hundreds of requests for each operation

# Until there are rows, ids are of nothing.
NOTHING = "00000000-0000-0000-0000-000000000000"
_rows: dict[str, list[str]] = {"": [NOTHING]}
# The requests of each operation, in the order in which they were made up.
_sent: dict[str, dict[str, int]] = {}


def _any_id(number: int) -> str:
    ids = [each for some in _rows.values() for each in some]
    return ids[number % len(ids)]


schemathesis.openapi.format("uuid", st.integers(0, 10_000).map(_any_id))


@pytest.fixture(scope="module", autouse=True)
def known_rows(university: None) -> None:
    """Collect the ids of some rows of every kind, by what a field that refers to one is called."""
    models = {route.model for route in routes() if route.lists} | {Person, CourseVersion}
    for model in sorted(models, key=lambda model: model._meta.label):
        _rows[str(model._meta.model_name)] = some_ids(model._base_manager.order_by("pk").values_list("pk", flat=True))
    _rows.update(parent=_rows["department"], advisor=_rows["person"])


def some_ids(values: Any) -> list[str]:
    """Return some of the ids from all over a query set: the first have often ended, the last not yet begun."""
    every = max(values.count() // SOME, 1)
    return [str(value) for value in values[::every]]


@pytest.fixture(autouse=True)
def university_is_kept() -> Iterator[None]:
    """Take back what a test writes, and keep the connection at the end of a request, as Django's client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def credentials(university: None) -> dict[str, dict[str, str]]:
    """Provide the headers of somebody who holds each role, of a program, and of somebody who has not logged in."""
    senders = {role: client_of(role) for role in Role.values}
    senders[PROGRAM] = caller(key_of(program(Role.INTEGRATION), *sorted(permissions_of(Role.INTEGRATION))))
    tokens = {sender: client._credentials["HTTP_AUTHORIZATION"] for sender, client in senders.items()}
    return {NOBODY: {}} | {sender: {"Authorization": token} for sender, token in tokens.items()}


@pytest.fixture(scope="module")
def authorization(credentials: dict[str, dict[str, str]]) -> dict[str, str]:
    """Provide the credentials of an administrator."""
    return credentials[Role.SYSTEM_ADMIN]


@cache
def ids_of(path: str) -> list[str]:
    """Return some ids that the placeholder of a path can stand for."""
    route = next(route for route in routes() if route.path.replace("{pk}", "{id}") == path)
    if route.names == ["parent"] and route.view.parents is not None:
        return some_ids(route.view.parents.order_by("pk").values_list("pk", flat=True))
    if route.names == ["parent"]:
        return some_ids(route.view.queryset.order_by().values_list(route.view.parent_field, flat=True).distinct())
    return some_ids(route.model._base_manager.order_by("pk").values_list("pk", flat=True))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_documented(case: Any, credentials: dict[str, dict[str, str]]) -> None:
    senders = callers_of(case)
    if case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
        meet_rows(case)
    narrowed = "fields" in (case.query or {})

    for sender in senders:
        case.call_and_validate(headers=credentials[sender], checks=CHECKS_OF_A_PART if narrowed else CHECKS)


@pytest.mark.parametrize("role", CALLERS)
def test_what_anybody_reads_is_as_documented(role: str, credentials: dict[str, dict[str, str]]) -> None:
    shown = 0
    for route in (route for route in routes() if route.lists):
        parent = {"parent": ids_of(route.path)[0]} if route.names else {}
        listed = schema[route.path]["GET"].Case(path_parameters=parent, query={"page_size": 2})
        answer = listed.call_and_validate(headers=credentials[role], checks=CHECKS)

        rows = answer.json()["data"] if answer.status_code == 200 else []
        shown += len(rows)
        for row in rows if route.detail() else []:
            case = schema[f"{route.path}{{id}}/"]["GET"].Case(path_parameters={"id": row["id"]})
            assert case.call_and_validate(headers=credentials[role], checks=CHECKS).status_code == 200
    assert bool(shown) == (role != NOBODY)


def callers_of(case: Any) -> list[str]:
    """Say who sends a request: one who may not, who leaves everything as it is, and then one who may.

    That is every other time an administrator, who gets furthest, if they may at all, and otherwise all in turn. The
    first request of an operation that writes is sent by everybody in the same order.
    """
    label = case.operation.label
    # A request that is sent again, since it failed, comes from the same callers.
    sent = _sent.setdefault(label, {})
    number = sent.setdefault(repr((case.path_parameters, case.query, case.headers, case.body)), len(sent))
    turn = crc32(label.encode()) + number
    may, may_not = divided(case.operation.path, case.operation.method.upper())
    if number == 0 and case.operation.method.upper() != "GET":
        return [*may_not, *may]
    chosen = [may_not[turn % len(may_not)]] if may_not else []
    if may:
        is_administrators = Role.SYSTEM_ADMIN in may and number % 2 == 0
        chosen.append(Role.SYSTEM_ADMIN if is_administrators else may[turn // 2 % len(may)])
    return chosen


@cache
def divided(path: str, method: str) -> tuple[list[str], list[str]]:
    """Return those who may do what an operation does, on some row, and those who may not."""
    route = next((route for route in routes() if route.path.replace("{pk}", "{id}") == path), None)
    if route is None:  # what describes the API, which everybody may read
        return CALLERS, []
    line = reviewed().line(matrix.Operation(route, method))
    refused = {caller for caller in CALLERS if line.cell(ACTORS.get(caller, caller)).is_refused}
    return [caller for caller in CALLERS if caller not in refused], sorted(refused)


def meet_rows(case: Any) -> None:
    """Let a valid request name rows of the right kind, in the state they are in."""
    for name, value in (case.path_parameters or {}).items():
        if is_id(value):
            case.path_parameters[name] = right(value, ids_of(case.operation.path))
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            if is_id(value):
                case.body[name] = right(value, _rows.get(name.replace("_", ""), [value]))
    if case.headers:
        case.headers.pop("If-Match", None)


def is_id(value: Any) -> bool:
    return isinstance(value, str) and any(value in ids for ids in _rows.values())


def right(value: str, ids: list[str]) -> str:
    """Return one of the ids, always the same for a value."""
    return ids[int(value[-4:], 16) % len(ids)]


BULK = [each for each in operations() if each.action.startswith("bulk_")]
REPLACEMENTS = [each for each in operations() if each.action == "update"]


@pytest.mark.parametrize("operation", BULK, ids=str)
@pytest.mark.parametrize("mode", ["best_effort", "all_or_nothing"])
def test_many_writes_answer_as_documented(operation: Operation, mode: str, authorization: dict[str, str]) -> None:
    items = [{"id": row} for row in _rows[str(operation.route.model._meta.model_name)]] + [{"id": NOTHING}]
    case = schema[operation.route.path]["POST"].Case(body={"items": items, "mode": mode}, media_type="application/json")

    answer = case.call_and_validate(headers=authorization, checks=CHECKS)

    if mode == "best_effort":
        assert answer.status_code == 200
        assert answer.json()["data"]["results"][-1]["status"] == "refused"


@pytest.mark.parametrize("operation", REPLACEMENTS, ids=str)
def test_a_row_can_be_sent_back_as_it_was_read(operation: Operation, authorization: dict[str, str]) -> None:
    path = operation.route.path.replace("{pk}", "{id}")
    statuses = set()
    for row in _rows[str(operation.route.model._meta.model_name)]:
        place = {"path_parameters": {"id": row}}
        read = schema[path]["GET"].Case(**place).call_and_validate(headers=authorization, checks=CHECKS)
        body = sent_back(read.json()["data"], operation)

        case = schema[path]["PUT"].Case(**place, body=body, media_type="application/json")
        written = case.call_and_validate(headers=authorization, checks=CHECKS)

        statuses.add(written.status_code)
        # Its state may forbid any change of a row; its shape may not.
        assert written.status_code in (200, 403, 409), written.text
    assert 200 in statuses, written.text


def sent_back(shown: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """Return what was read as a body: related rows by their ids, and lists where they hold nothing but texts."""
    body = {}
    for name in operation.fields:
        value = shown.get(name)
        if isinstance(value, dict) and "id" in value:
            body[name] = value["id"]
        elif name in operation.lists_of_ids and name in shown:
            body[name] = [each["id"] for each in value]
        elif name in shown and (not isinstance(value, list) or {type(each) for each in value} == {str}):
            body[name] = value
    return body
