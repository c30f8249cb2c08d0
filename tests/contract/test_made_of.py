"""What remembered answers are made of: no statement that makes one reads a table that it does not name."""

import re
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from core.api.filters import UUIDFilter
from core.api.serializers import expansions
from core.cache.tags import LEFT_OUT, columns_apart, is_divided_by_row, model_behind
from core.ids import new_id
from core.masks import masks_of
from core.models import Touch
from core.visibility import visible
from tests.contract.routes import Route, routes
from tests.contract.work import NOTED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("university"), pytest.mark.sweep]

REMEMBERED = [route for route in routes() if route.lists and route.view.made_of]
EVERYBODYS = [route for route in REMEMBERED if route.view.is_everybodys]
DIVIDED = [route for route in REMEMBERED if route.view.divided_tag()]
READ = re.compile(r'(?:FROM|JOIN)\s+"(\w+)"')


def tables(route: Route) -> set[str]:
    return {table_of(tag) for tag in route.view.tags_of_answers()}


def table_of(tag: str) -> str:
    return apps.get_model(model_behind(tag))._meta.db_table


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
    for name, each in route.view.filterset_class.base_filters.items():
        if isinstance(each, UUIDFilter):
            yield {name: str(new_id())}


def statements_of(client: Any, url: str, question: dict[str, Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url, question).status_code == 200, (url, question)
    return [query["sql"] for query in captured]


def read_by(client: Any, url: str, question: dict[str, Any]) -> set[str]:
    return {table for each in statements_of(client, url, question) for table in READ.findall(each)}


def columns_read(statement: str, table: str) -> set[str]:
    """Return which columns of a table a statement names, under whatever name it reads the table."""
    names = {table, *re.findall(rf'(?:FROM|JOIN)\s+"{table}"\s+"?(\w+)"?', statement)}
    return {column for name in names for column in re.findall(rf'(?<!\w)"?{name}"?\."(\w+)"', statement)}


def moved_by(table: str, rows: LiteralString, *parameters: object) -> set[str]:
    """Return the tags that a write to some rows of a table moves."""
    last = Touch.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    name = sql.Identifier(table)
    (model,) = [each for each in apps.get_models(include_auto_created=True) if each._meta.db_table == table]
    # What is set apart from some columns moves only with a real change of another.
    columns = {field.column for field in model._meta.concrete_fields}
    change = sql.SQL("created_at = now()" if "created_at" in columns else "id = id")
    changed = sql.SQL("UPDATE {} SET {} WHERE {}").format(name, change, sql.SQL(rows).format(table=name))
    with connection.cursor() as cursor:
        cursor.execute(changed, parameters)
    return {tag for touch in Touch.objects.filter(pk__gt=last) for tag in touch.tags}


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
    assert not LEFT_OUT.keys() & {model_behind(tag) for tag in route.view.tags_of_answers()}


@pytest.mark.parametrize("route", REMEMBERED, ids=str)
def test_it_reads_nothing_that_a_tag_is_set_apart_from(clients, route: Route) -> None:
    first = clients["student"].get(route.list_url()).json()["data"][0]["id"]
    detail = route.detail()
    asked = [(route.list_url(), question) for question in questions(route)]
    asked += [(detail.url(pk=first), {})] if detail is not None else []
    statements = [each for url, question in asked for each in statements_of(clients["registrar"], url, question)]

    for tag in route.view.tags_of_answers():
        read = {column for each in statements for column in columns_read(each, table_of(tag))}
        assert read & columns_apart(tag) == set(), tag


@pytest.mark.parametrize("route", DIVIDED, ids=str)
@pytest.mark.parametrize("role", ["registrar", "department_head", "faculty", "student"])
def test_one_row_is_shown_without_another_of_its_table(clients, route: Route, role: str) -> None:
    detail, own = route.detail(), table_of(route.view.divided_tag())
    assert detail is not None
    pk = clients[role].get(route.list_url()).json()["data"][0]["id"]

    read = [name for each in statements_of(clients[role], detail.url(pk=pk), {}) for name in READ.findall(each)]

    assert route.view.tags_of_answers()[0] == route.model._meta.label_lower
    assert read.count(own) == 1


@pytest.mark.parametrize("route", DIVIDED, ids=str)
def test_a_write_to_whatever_one_row_shows_makes_another_key_and_to_another_row_does_not(clients, route: Route) -> None:
    detail, own = route.detail(), table_of(route.view.divided_tag())
    assert detail is not None
    pk = clients["student"].get(route.list_url()).json()["data"][0]["id"]
    key = set(route.view.tags_of_row(pk))
    others = route.model.objects.exclude(pk=pk).exclude(pk__endswith=pk[-3:])[:5]
    read = read_by(clients["student"], detail.url(pk=pk), {})

    for table in read - {own}:
        assert moved_by(table, "ctid IN (SELECT ctid FROM {table} LIMIT 1)") & key, table
    assert moved_by(own, "id = %s", pk) & key
    assert moved_by(own, "true") & key
    assert not moved_by(own, "id = ANY(%s)", [row.pk for row in others]) & key


def test_sections_are_remembered_by_row() -> None:
    assert {str(route) for route in DIVIDED} >= {"sections/", "courses/"}
    assert not is_divided_by_row("departments.department")  # which shows the one above it


@pytest.mark.parametrize("route", EVERYBODYS, ids=str)
def test_of_what_is_everybodys_nothing_is_hidden_from_anybody(clients, route: Route) -> None:
    nobody: Any = AnonymousUser()

    assert masks_of(route.model) == ()
    assert visible(route.model.objects.all(), nobody).count() == route.model.objects.count()


@pytest.mark.parametrize("route", EVERYBODYS, ids=str)
def test_what_is_everybodys_is_the_same_for_everybody(clients, route: Route) -> None:
    shown = {role: client.get(route.list_url(), {"page_size": 200}).json() for role, client in clients.items()}

    first, *others = [(answer["data"], answer["meta"]) for answer in shown.values()]
    assert all(other == first for other in others)


def test_the_university_is_described_from_memory() -> None:
    assert {str(route) for route in REMEMBERED} >= {"departments/", "programs/", "terms/", "rooms/"}
