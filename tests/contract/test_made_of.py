"""What remembered answers are made of: no statement that makes one reads a table that it does not name."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.api.serializers import expansions
from core.cache.tags import LEFT_OUT
from tests.contract.routes import Route, routes
from tests.contract.work import NOTED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("university"), pytest.mark.sweep]

REMEMBERED = [route for route in routes() if route.lists and route.view.made_of]
EVERYBODYS = [route for route in REMEMBERED if route.view.is_everybodys]
READ = re.compile(r'(?:FROM|JOIN)\s+"(\w+)"')


def tables(route: Route) -> set[str]:
    return {apps.get_model(label)._meta.db_table for label in route.view.made_of}


def questions(route: Route) -> Iterator[dict[str, Any]]:
    """Yield questions that between them reach everything a list can be asked by."""
    yield {}
    yield {"page": 1}
    if names := expansions(route.view.list_serializer_class):
        yield {"include": ",".join(names)}
    if route.view.searchable:
        yield {"search": NOTED}
    for ordering in route.view.ordering_fields:
        yield {"ordering": f"-{ordering}"}


def read_by(client: Any, url: str, question: dict[str, Any]) -> set[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url, question).status_code == 200, (url, question)
    return {table for query in captured for table in READ.findall(query["sql"])}


def filtered_by(route: Route) -> Iterator[tuple[str, str]]:
    """Yield each filter of a list and each table that it may look into."""
    for name, each in route.view.filterset_class.base_filters.items():
        model = route.model
        for part in (each.field_name or "").split("__"):
            field: Any = next((one for one in model._meta.get_fields() if one.name == part), None)
            if field is None or not field.is_relation:
                break
            model = field.related_model
            yield name, model._meta.db_table


@pytest.mark.parametrize("route", REMEMBERED, ids=str)
@pytest.mark.parametrize("role", ["system_admin", "registrar", "department_head", "faculty", "student"])
def test_it_names_every_table_that_is_read_for_whoever_asks(clients, route: Route, role: str) -> None:
    first = clients[role].get(route.list_url()).json()["data"][0]["id"]
    detail = route.detail()

    read = {table for question in questions(route) for table in read_by(clients[role], route.list_url(), question)}
    if detail is not None:
        read |= read_by(clients[role], detail.url(pk=first), {})

    assert read <= tables(route)


@pytest.mark.parametrize("route", REMEMBERED, ids=str)
def test_it_names_every_table_that_a_filter_looks_into(route: Route) -> None:
    assert {(name, table) for name, table in filtered_by(route) if table not in tables(route)} == set()


@pytest.mark.parametrize("route", REMEMBERED, ids=str)
def test_what_it_names_moves_its_tag(route: Route) -> None:
    assert not LEFT_OUT.keys() & {label.lower() for label in route.view.made_of}


@pytest.mark.parametrize("route", EVERYBODYS, ids=str)
def test_what_is_everybodys_is_the_same_for_everybody(clients, route: Route) -> None:
    shown = {role: client.get(route.list_url(), {"page_size": 200}).json() for role, client in clients.items()}

    first, *others = [(answer["data"], answer["meta"]) for answer in shown.values()]
    assert all(other == first for other in others)


def test_the_university_is_described_from_memory() -> None:
    assert {str(route) for route in REMEMBERED} >= {"departments/", "programs/", "terms/", "rooms/"}
