"""Whatever a URL or a header holds, it is answered or refused with a documented code."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from core.models import CustomizableModel
from core.search import refusal_of
from files.api.upload_views import FileUploadViewSet
from tests.contract.problems import assert_refused, everything
from tests.contract.routes import Route, routes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("university"),
    pytest.mark.sweep,
]

LISTS = [route for route in routes() if route.lists]
DETAILS = [route for route in routes() if route.names]
LONG = "a" * 10_000
# Refused by every list, whatever it shows.
REFUSED_QUERIES = [
    "%00",
    "search=%00",
    "search=a%00b",
    "%ff=1",
    "search=%ff",
    "search=%ed%a0%80",
    "search=%c0%af",
    "page_size=%ff",
    "ordering=%00",
    "cursor=%00",
    "page_size=0",
    "page_size=-1",
    "page_size=201",
    "page_size=1.5",
    "page_size=1e2",
    "page_size=",
    "page_size=%D9%A3",
    "page_size=" + "9" * 5_000,
    "page=0",
    "page=-1",
    "page=x",
    "page=" + "9" * 30,
    "page=" + "9" * 5_000,
    "page=1&cursor=x",
    "page=1&page=2",
    "page_size=5&page_size=5",
    "cursor=",
    "cursor=x",
    "cursor=eyJhIjoxfQ.x",
    "cursor=WzAsIngiXQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "cursor=" + LONG,
    "cursor=%F0%9F%92%A9",
    "ordering=",
    "ordering=-",
    "ordering=--id",
    "ordering=?",
    "ordering=pk",
    "ordering=password",
    "ordering=id;DROP%20TABLE%20x",
    "ordering=created_at%20DESC",
    "ordering=" + "created_at," * 2_000,
    "ordering=" + LONG,
    "fields=__class__",
    "fields=password",
    "fields=" + LONG,
    "include=__all__",
    "include=a.b.c.d",
    "include=" + ".".join("x" * 1_000),
    "id__in=1",
    "created_at__regex=(a%2B)%2B%24",
    "_connector=OR",
    "_negated=true",
    "custom.=1",
    "custom.a.b=1",
    "custom.__class__=1",
    "custom.no_such_field=1",
    f"custom.{LONG}=1",
    f"{LONG}=1",
    "format=api",
    "a=1&" * 500 + "b=1",
    "&".join(f"custom.x{number}=1" for number in range(30)),
]
# For any filter, whatever its type.
VALUES = [
    "",
    " ",
    "\x01",
    "'",
    "%",
    "\\",
    "-1",
    "9" * 25,
    "1e400",
    "NaN",
    "[]",
    "null",
    "TRUE",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "\ufdd0\U0010ffff",
    "Ⅷ",
    ",",
    "a," * 300,
    LONG,
]
SEARCHES = [
    "'",
    '"',
    "\\",
    "%",
    "_",
    ":*",
    "& | !",
    "a & b",
    "<->",
    "()",
    "' OR 1=1 --",
    "\u202e",
    "\u0301",
    "İ",
    "ﬁ",
    "ǅ",
    "\ufeff",
    "\U0010ffff",
    "\U0001d518\U0001d52b\U0001d526\U0001d520\U0001d52c\U0001d521\U0001d522",
    "a" * 10_000,
    "a " * 5_000,
    "💩" * 2_000,
    "ZͮA̡ͫlG҉o̶" * 300,
]
IDS = [
    "x",
    "1",
    "-1",
    "0",
    "null",
    "%00",
    "%ff",
    "%0a",
    "..",
    "..%2f..%2fetc%2fpasswd",
    "%F0%9F%92%A9",
    "00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-00000000000g",
    "0000000000000000000000000000000000000000000000000000",
    "%7B00000000-0000-0000-0000-000000000000%7D",
    "00000000000000000000000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "a" * 5_000,
    "';--",
]


def raw(client: APIClient, url: str, query: str, **headers: str) -> Any:
    """Ask with a query string as it is, byte for byte."""
    return client.get(url, QUERY_STRING=query, headers=headers or None)


@pytest.mark.checklist(42, 46, 48)
@pytest.mark.parametrize("route", LISTS, ids=str)
def test_a_question_without_meaning_is_refused(system_admin: APIClient, route: Route) -> None:
    url = route.list_url()

    for query in REFUSED_QUERIES:
        problem = assert_refused(raw(system_admin, url, query), query[:100])

        assert problem["status"] == (404 if problem["code"] == "page_not_found" else 400), query[:100]


@pytest.mark.checklist(42)
@pytest.mark.parametrize("route", LISTS, ids=str)
def test_every_filter_finds_or_refuses_whatever_it_is_given(system_admin: APIClient, route: Route) -> None:
    url = route.list_url()

    for name in filters_of(route):
        for value in VALUES:
            answer = raw(system_admin, url, urlencode({name: value, "page_size": 1}))
            if answer.status_code != 200:
                problem = assert_refused(answer, (name, value[:50]))
                assert {error["field"] for error in problem["errors"]} == {name}


def filters_of(route: Route) -> Iterator[str]:
    """Yield the names of the parameters that narrow a list."""
    filterset = getattr(route.view, "filterset_class", None)
    yield from filterset.base_filters if filterset else ()
    if issubclass(route.model, CustomizableModel):
        yield "custom.contract_note"


@pytest.mark.checklist(42)
@pytest.mark.parametrize("route", [route for route in LISTS if route.view.searchable], ids=str)
def test_every_search_text_is_searched_for_or_said_to_be_too_long(system_admin: APIClient, route: Route) -> None:
    url = route.list_url()

    for text in SEARCHES:
        answer = raw(system_admin, url, urlencode({"search": text, "page_size": 1}))

        expected = (400, "search_too_long") if refusal_of(text) else (200, None)
        assert (answer.status_code, answer.json().get("code")) == expected, (text[:50], answer.content)


@pytest.mark.checklist(42)
@pytest.mark.parametrize("route", LISTS, ids=str)
def test_a_cursor_that_was_tampered_with_is_refused(system_admin: APIClient, route: Route) -> None:
    url, cursor = route.list_url(), cursor_of(system_admin, route)
    half = len(cursor) // 2
    last, middle = ("A" if cursor[at] != "A" else "B" for at in (-1, half))

    for forged in (
        cursor[:half],
        f"{cursor}.",
        f"{cursor}=",
        f"{cursor[:half]}.{cursor[half:]}",
        f"{cursor[:half]}{middle}{cursor[half + 1 :]}",
        f"{cursor[:-1]}{last}",
        cursor[:-1],
        cursor * 2,
    ):
        problem = assert_refused(system_admin.get(url, {"page_size": 1, "cursor": forged}), forged)
        assert (problem["status"], problem["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("route", LISTS, ids=str)
def test_a_cursor_of_another_question_is_refused(clients: dict[str, APIClient], route: Route) -> None:
    administrator, cursor = clients["system_admin"], cursor_of(clients["system_admin"], route)
    name = next(iter(route.view.ordering_fields))
    other = next(each for each in LISTS if not each.names and each != route)
    mine = next(iter(route.view.default_ordering))
    ordering = name if mine.startswith("-") else f"-{name}"

    answers = [
        administrator.get(route.list_url(), {"cursor": cursor, "ordering": ordering}),
        administrator.get(other.list_url(), {"cursor": cursor}),
    ]
    from_another = clients["registrar"].get(route.list_url(), {"cursor": cursor})

    for answer in answers if route.view.is_everybodys else [*answers, from_another]:
        if answer.status_code != 403:
            assert assert_refused(answer)["code"] == "invalid_cursor"
    # What everybody is shown alike is the same question, whoever asks it.
    assert not route.view.is_everybodys or from_another.status_code == 200


def cursor_of(client: APIClient, route: Route) -> str:
    """Return the cursor of the second page."""
    following = client.get(route.list_url(), {"page_size": 1}).json()["meta"]["pagination"]["next"]
    return str(dict(pair.split("=") for pair in following.partition("?")[2].split("&"))["cursor"])


@pytest.mark.parametrize("route", DETAILS, ids=str)
def test_an_id_of_nothing_is_not_found(system_admin: APIClient, route: Route) -> None:
    before = everything()

    for text in IDS:
        path = route.path
        for name in route.names:
            path = path.replace("{" + name + "}", text)
        for method in route.actions:
            answer = system_admin.generic(method, path, b"{}", "application/json")
            expected = (400, "nul_character") if text == "%00" else (404, "not_found")
            problem = assert_refused(answer, (method, path[:100]))
            assert (problem["status"], problem["code"]) == expected, (method, path[:100])

    assert everything() == before


HEADERS = [
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer a b"},
    {"Authorization": f"Bearer {LONG}"},
    {"Authorization": "Bearer \xff"},
    {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
    {"Authorization": "Basic OjpA"},
    {"Authorization": "Api-Key x"},
    {"Authorization": LONG},
]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: headers["Authorization"][:20])
def test_credentials_that_are_none_are_refused(headers: dict[str, str]) -> None:
    for route in LISTS:
        answer = APIClient().get(route.path.replace("{parent}", "0" * 32), headers=headers)

        assert answer.status_code in (401, 404)
        assert_refused(answer, route)


@pytest.mark.parametrize("tag", ["", '"', 'W/"x"', ",,,", '"0', "\xff", LONG, '"99999999999999999999-x"', '"-1-"'])
def test_a_tag_that_names_nothing_changes_nothing(system_admin: APIClient, tag: str) -> None:
    for route in LISTS:
        detail = route.detail()
        # A part of a file is no JSON.
        if detail is None or "PATCH" not in detail.actions or detail.view is FileUploadViewSet:
            continue
        url = detail.url(pk=route.model._base_manager.order_by("pk")[0].pk)

        read = system_admin.get(url, headers={"If-None-Match": tag})
        written = system_admin.patch(url, {}, format="json", headers={"If-Match": tag})

        assert read.status_code == 200
        assert assert_refused(written)["code"] == "precondition_failed"


@pytest.mark.parametrize("key", ["", "\t", "\xff", "a" * 256, LONG, "é"])
def test_an_idempotency_key_that_cannot_be_one_is_refused(system_admin: APIClient, key: str) -> None:
    body = {"code": "IDEM", "name": "Once", "time_zone": "Europe/Vienna"}
    before = everything()

    answer = system_admin.post("/api/v1/campuses/", body, format="json", headers={"Idempotency-Key": key})

    assert assert_refused(answer)["code"] == "idempotency_key_invalid"
    assert everything() == before


@pytest.mark.checklist(61)
@pytest.mark.parametrize("value", ["", " ", "a b", "a\xff", LONG, "<script>", "%00"])
def test_a_request_id_that_cannot_be_one_is_replaced(system_admin: APIClient, value: str) -> None:
    answer = system_admin.get("/api/v1/campuses/", headers={"X-Request-ID": value})

    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] not in ("", value)


@pytest.mark.parametrize("accept", ["", "text/html", "image/png", "*/*;q=x", LONG, "application/json;q=0", "\xff"])
def test_an_answer_is_json_whatever_the_client_would_rather_have(system_admin: APIClient, accept: str) -> None:
    answer = system_admin.get("/api/v1/campuses/", headers={"Accept": accept})

    assert answer.status_code in (200, 406)
    assert answer.headers["Content-Type"] in ("application/json", "application/problem+json")


@pytest.mark.parametrize("path", ["nothing", "students/x/y/z/", "%ff", "students//", "..%2fadmin/"])
def test_a_path_to_nothing_is_a_problem_document(system_admin: APIClient, path: str) -> None:
    answer = system_admin.get(f"/api/v1/{path}")

    assert assert_refused(answer)["status"] == 404
