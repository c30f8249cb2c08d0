"""Every list of the API, as the router knows them: what it costs, how it pages, and what can be asked of it.

Nothing here names a resource. A list that is added is tried as it is; a test fails while the
university of these tests has no rows for it.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.api.serializers import expansions, included_attribute, reader_of
from core.models import CustomizableModel
from notifications.api.stream import StreamView
from tests.contract.routes import Route, routes
from tests.contract.work import NOTE, NOTED

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("university"),
    pytest.mark.sweep,
]

LISTS = [route for route in routes() if route.lists]
BUDGET = 3
# How much of a long list is read to know that it is in order.
SOME_PAGES = 3
EVERYBODY = pytest.mark.parametrize("role", ["registrar", "system_admin"])
EVERY_LIST = pytest.mark.parametrize("route", LISTS, ids=str)

Row = dict[str, Any]


def budget(route: Route) -> int:
    """Return how many statements a page may take, all counted: three, and what puts on record who was shown it.

    That is one more where it shows records of people, and two more where it has to be found out whose records those are
    (`docs/explanation/lists.md`).
    """
    disclosed = route.view.discloses
    return BUDGET + (1 if disclosed is not None else 0) + (2 if disclosed is not None and disclosed.behind else 0)


def ask(client: APIClient, url: str, question: Row | None = None) -> tuple[list[Row], Row, int]:
    """Return the rows of a page, its links, and how many statements it took."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, question)
    body = answer.json()
    assert answer.status_code == 200, (url, question, body)
    return body["data"], body["meta"]["pagination"], len(captured)


def walk(client: APIClient, url: str, **question: Any) -> Iterator[str]:
    """Yield the ids of all rows, page by page along the links."""
    found, links, _ = ask(client, url, {"page_size": 200, "fields": "id", **question})
    yield from (row["id"] for row in found)
    while links["next"]:
        found, links, _ = ask(client, links["next"])
        yield from (row["id"] for row in found)


def parametrized(values: Callable[[Route], Any]) -> list[Any]:
    """Return a case for every list and every value that concerns it."""
    return [pytest.param(route, value, id=f"{route} {value}") for route in LISTS for value in values(route)]


@EVERY_LIST
def test_the_university_has_rows_for_it(system_admin: APIClient, route: Route) -> None:
    found, links, _ = ask(system_admin, route.list_url(), {"page": 1})

    assert len(found) >= 2, "let `work_for_a_term` make some"
    assert links["total"] >= 2


@EVERYBODY
@EVERY_LIST
@pytest.mark.parametrize("size", [1, 10, 100])
def test_a_page_takes_three_statements_and_one_to_record_a_disclosure(
    clients, route: Route, role: str, size: int
) -> None:
    url = route.list_url()
    if role == "registrar" and clients[role].get(url).status_code in (403, 404):
        return  # not hers to see: the administrator's case counts

    _, _, queries = ask(clients[role], url, {"page_size": size})

    assert queries <= budget(route)


@pytest.mark.parametrize("role", ["department_head", "faculty", "student"])
def test_a_page_of_what_somebody_sees_in_part_takes_no_more(clients, role: str) -> None:
    shown = {}
    for route in LISTS:
        url = route.list_url()
        if clients[role].get(url).status_code in (403, 404):
            continue
        for size in (1, 100):
            found, _, queries = ask(clients[role], url, {"page_size": size})
            assert queries <= budget(route), (url, size)
            shown[url] = len(found)

    assert {url for url, rows in shown.items() if rows} >= {"/api/v1/students/", "/api/v1/enrollments/"}


@EVERYBODY
@pytest.mark.parametrize("route", [route for route in LISTS if route.view.searchable], ids=str)
@pytest.mark.parametrize("text", [NOTED, "a", "Introducton", "nothing has these words"])
def test_a_search_takes_no_more(clients, route: Route, role: str, text: str) -> None:
    found, _, queries = ask(clients[role], route.list_url(), {"search": text, "page_size": 100})

    # Of an empty page of what belongs to a row it is asked whether that row is there.
    assert queries <= budget(route) + (not found and bool(route.names))


@EVERYBODY
@pytest.mark.parametrize("route", [route for route in LISTS if issubclass(route.model, CustomizableModel)], ids=str)
def test_a_custom_field_finds_its_rows_by_value_and_by_search_at_no_more(clients, route: Route, role: str) -> None:
    url = route.list_url()

    by_value, _, queries = ask(clients[role], url, {f"custom.{NOTE}": NOTED, "page_size": 100})

    assert queries <= budget(route)
    assert by_value
    assert all(row["custom_fields"][NOTE] == NOTED for row in by_value)
    if route.view.searchable:
        by_search, _, _ = ask(clients[role], url, {"search": NOTED.lower(), "page_size": 100})
        assert {row["id"] for row in by_search} == {row["id"] for row in by_value}


@pytest.mark.parametrize(("route", "name"), parametrized(lambda route: route.view.ordering_fields))
def test_an_ordering_read_backwards_is_the_ordering_of_its_opposite(system_admin, route: Route, name: str) -> None:
    url = route.list_url()

    _, links, queries = ask(system_admin, url, {"ordering": name, "page": 1, "page_size": 200})
    upwards = list(islice(walk(system_admin, url, ordering=name), SOME_PAGES * 200))
    downwards = [
        row["id"]
        for page in range(max(1, links["pages"] - SOME_PAGES), links["pages"] + 1)
        for row in ask(system_admin, url, {"ordering": f"-{name}", "page": page, "page_size": 200, "fields": "id"})[0]
    ]

    assert queries <= budget(route) + 1  # and one for counting
    assert upwards == downwards[::-1][: len(upwards)]


@EVERY_LIST
def test_its_pages_show_each_row_once(system_admin, route: Route) -> None:
    url = route.list_url()
    _, links, _ = ask(system_admin, url, {"page": 1})

    size = min(200, max(1, links["total"] // 5))
    seen = list(walk(system_admin, url, page_size=size))

    assert len(seen) == links["total"] == len(set(seen))


@EVERY_LIST
def test_its_pages_lead_back_to_the_first(system_admin, route: Route) -> None:
    first, links, _ = ask(system_admin, route.list_url(), {"page_size": 1})
    second, links, _ = ask(system_admin, links["next"])
    back, links, _ = ask(system_admin, links["previous"])

    assert back == first
    assert second != first
    assert links["previous"] is None


@EVERY_LIST
def test_numbered_pages_count_and_end(system_admin, route: Route) -> None:
    url = route.list_url()

    first, links, _ = ask(system_admin, url, {"page": 1, "page_size": 1})
    last, ending, _ = ask(system_admin, url, {"page": links["pages"], "page_size": 1})
    beyond = system_admin.get(url, {"page": links["pages"] + 1, "page_size": 1})

    assert links["page"] == 1
    assert links["total"] == links["pages"] >= 2
    assert links["previous"] is None
    assert ending["next"] is None
    assert first != last
    assert (beyond.status_code, beyond.json()["code"]) == (404, "page_not_found")


@pytest.mark.parametrize("route", [route for route in LISTS if route.detail()], ids=str)
def test_every_row_has_a_detail_with_a_tag(system_admin, route: Route) -> None:
    detail = route.detail()
    assert detail is not None
    url = route.list_url()
    found, links, _ = ask(system_admin, url, {"page": 1, "page_size": 5})
    last, _, _ = ask(system_admin, url, {"page": links["pages"], "page_size": 5})

    for row in (*found, *last):
        shown = system_admin.get(detail.url(pk=row["id"]))
        again = system_admin.get(detail.url(pk=row["id"]), headers={"If-None-Match": shown.headers["ETag"]})

        assert shown.status_code == 200, shown.content
        assert shown.json()["data"].items() >= row.items()
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == shown.headers["ETag"]


@EVERY_LIST
def test_a_page_has_a_tag(system_admin, route: Route) -> None:
    url = route.list_url()

    shown = system_admin.get(url, {"page_size": 5})
    again = system_admin.get(url, {"page_size": 5}, headers={"If-None-Match": shown.headers["ETag"]})

    assert again.status_code == 304
    assert shown.headers["Cache-Control"] == "private, no-store"


@EVERY_LIST
def test_each_field_can_be_had_alone(system_admin, route: Route) -> None:
    url = route.list_url()
    whole, _, _ = ask(system_admin, url, {"page_size": 2})

    for name in whole[0]:
        alone, _, queries = ask(system_admin, url, {"page_size": 2, "fields": name})

        assert alone == [{name: row[name]} for row in whole]
        assert queries <= budget(route)


@pytest.mark.parametrize(("route", "name"), parametrized(lambda route: expansions(route.view.list_serializer_class)))
def test_an_expansion_costs_the_same_whatever_the_page(system_admin, route: Route, name: str) -> None:
    url = route.list_url()
    _, _, plain = ask(system_admin, url, {"page_size": 50})

    _, _, of_few = ask(system_admin, url, {"page_size": 5, "include": name})
    many, _, of_many = ask(system_admin, url, {"page_size": 50, "include": name})

    assert of_few == of_many
    assert of_many <= plain + 2 * len(name.split("."))  # the rows, and the definitions of their custom fields
    assert_included(route.view.list_serializer_class, many, name)


def assert_included(reader: Any, shown: list[Row], name: str) -> None:
    """Check that the rows show the included one with every field of its own reader."""
    head, _, deeper = name.partition(".")
    nested = reader_of(reader.expandable[head])
    assert hasattr(reader.Meta.model, head), included_attribute(head)
    included = [row[head] for row in shown if row[head] is not None]
    assert included
    for one in included:
        assert set(one) == set(nested().fields)
    if deeper:
        assert_included(nested, included, deeper)


# Downloads have tests of their own: what they are of has to be said. A stream does not end, and so has no tag.
READ_ALONE = [
    route
    for route in routes()
    if "GET" in route.actions
    and route.view is not StreamView
    and not (route.names or route.lists or getattr(route.view, "downloads_rows", False))
]


@pytest.mark.parametrize("route", READ_ALONE, ids=str)
def test_what_is_read_without_a_list_has_a_tag_and_costs_little(system_admin, route: Route) -> None:
    with CaptureQueriesContext(connection) as captured:
        shown = system_admin.get(route.path)
    again = system_admin.get(route.path, headers={"If-None-Match": shown.headers["ETag"]})

    assert shown.status_code == 200
    assert len(captured) <= BUDGET
    assert again.status_code == 304
