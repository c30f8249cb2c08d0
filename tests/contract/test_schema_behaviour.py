"""Every operation answers what the OpenAPI document says it may, whatever the document lets a client send.

schemathesis makes up requests from the document, valid and invalid ones, and sends them through
WSGI. So that they meet rows, ids are drawn from those that exist.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from campushub360.wsgi import application
from tests.contract.conftest import client_of
from tests.contract.operations import document
from tests.contract.routes import routes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("university"),
    pytest.mark.xdist_group("contract-schema"),
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
EXAMPLES = 6
SOME = 5

schema = schemathesis.openapi.from_dict(document())
schema.app = application
schema.config.phases.coverage.enabled = False  # hundreds of requests for each operation

# The first is of nothing; the others come with the rows.
_known_ids = ["00000000-0000-0000-0000-000000000000"]
schemathesis.openapi.format("uuid", st.integers(0, 10_000).map(lambda number: _known_ids[number % len(_known_ids)]))


@pytest.fixture(scope="module", autouse=True)
def known_ids(university: None) -> None:
    """Collect the ids of some rows of every resource."""
    models = {route.model for route in routes() if route.lists}
    for model in sorted(models, key=lambda model: model._meta.label):
        _known_ids.extend(map(str, model._base_manager.order_by("pk").values_list("pk", flat=True)[:SOME]))


@pytest.fixture(autouse=True)
def connection_is_kept() -> Iterator[None]:
    """Keep the connection, whose transaction holds the university, at the end of a request; as Django's client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def authorization(university: None) -> dict[str, str]:
    """Provide the credentials of an administrator."""
    credentials = client_of("system_admin")._credentials
    return {"Authorization": credentials["HTTP_AUTHORIZATION"]}


@cache
def ids_of(path: str) -> list[str]:
    """Return some ids that the placeholder of a path can stand for."""
    templates = {route.path.replace("{pk}", "{id}"): route for route in routes()}
    route = templates[path]
    if route.names == ["parent"]:
        values = route.view.queryset.order_by().values_list(route.view.parent_field, flat=True).distinct()
    else:
        values = route.model._base_manager.order_by("pk").values_list("pk", flat=True)
    return [str(value) for value in values[:SOME]]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_documented(case: Any, authorization: dict[str, str]) -> None:
    if case.path_parameters:
        meet_a_row(case)

    narrowed = "fields" in (case.query or {})
    case.call_and_validate(headers=authorization, checks=CHECKS_OF_A_PART if narrowed else CHECKS)


def meet_a_row(case: Any) -> None:
    """Let most requests name a row of the right kind."""
    ids = ids_of(case.operation.path)
    for name, value in case.path_parameters.items():
        if value in _known_ids:
            case.path_parameters[name] = ids[_known_ids.index(value) % len(ids)]
