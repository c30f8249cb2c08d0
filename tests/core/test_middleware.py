"""What every request gets, whatever becomes of it."""

import logging
import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.views.decorators.cache import cache_control

from core.logging import request_id
from core.middleware import RequestMiddleware

pytestmark = pytest.mark.urls(__name__)


def echo(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse(f"{request.request_id} {request_id.get()}")


def fail(request: HttpRequest) -> HttpResponse:
    raise ValueError("a bug")


@cache_control(public=True)
def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for everybody")


def ask_the_database(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 2")
    return HttpResponse("asked")


urlpatterns = [
    path("api/things/<uuid:pk>/", echo),
    path("api/public/", public),
    path("api/asked/", ask_the_database),
    path("plain/", echo),
    path("fail/", fail),
    path("livez", echo),
]
handler400 = "core.api.exceptions.bad_request"
handler404 = "core.api.exceptions.not_found"
handler500 = "core.api.exceptions.server_error"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def access_lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "core.access"]


@pytest.mark.parametrize("offered", ["abc-123", "A.b_c-9", "x" * 128])
def test_a_fit_request_id_is_echoed_and_known_to_the_view(client: Client, offered: str) -> None:
    response = client.get("/plain/", headers={"X-Request-ID": offered})

    assert response["X-Request-ID"] == offered
    assert response.content.decode() == f"{offered} {offered}"


@pytest.mark.parametrize("offered", ["", "x" * 129, "with blank", "line\nbreak", "<script>", "\u00e9"])
def test_any_other_request_id_is_replaced(client: Client, offered: str) -> None:
    response = client.get("/plain/", headers={"X-Request-ID": offered})

    assert response["X-Request-ID"] != offered
    assert response.content.decode() == " ".join([response["X-Request-ID"]] * 2)


def test_requests_without_an_id_get_different_ones(client: Client) -> None:
    assert client.get("/plain/")["X-Request-ID"] != client.get("/plain/")["X-Request-ID"]


@pytest.mark.parametrize(("url", "status"), [("/fail/", 500), ("/missing/", 404), ("/plain/%00", 400)])
def test_errors_carry_the_request_id_too(client: Client, url: str, status: int) -> None:
    response = client.get(url, headers={"X-Request-ID": "abc"})

    assert (response.status_code, response["X-Request-ID"]) == (status, "abc")
    assert response.json()["request_id"] == "abc"


def test_the_request_id_is_forgotten_after_the_request(client: Client) -> None:
    client.get("/plain/", headers={"X-Request-ID": "abc"})

    assert request_id.get() == ""


def test_concurrent_requests_do_not_see_each_others_ids() -> None:
    meet = threading.Barrier(2)
    seen: dict[str, str] = {}

    def answer(request: HttpRequest) -> HttpResponse:
        meet.wait(30)
        seen[request.headers["X-Request-ID"]] = request_id.get()
        meet.wait(30)
        return HttpResponse()

    middleware = RequestMiddleware(answer)
    threads = [
        threading.Thread(target=lambda name=name: middleware(RequestFactory().get("/", headers={"X-Request-ID": name})))
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {"one": "one", "two": "two"}


def test_a_path_with_nul_reaches_no_view(client: Client) -> None:
    response = client.get("/plain/%00")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_answers_of_the_api_are_private_unless_a_view_says_otherwise(client: Client) -> None:
    by_default = client.get(f"/api/things/{uuid4()}/")
    by_name = client.get("/api/public/")
    outside = client.get("/plain/")

    assert by_default["Cache-Control"] == "private, no-store"
    assert by_name["Cache-Control"] == "public"
    assert not outside.has_header("Cache-Control")


def test_a_missing_page_of_the_api_is_private_too(client: Client) -> None:
    assert client.get("/api/missing/")["Cache-Control"] == "private, no-store"


def test_the_access_line_names_route_and_parameters_and_no_value(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="core.access")
    thing = uuid4()

    client.get(f"/api/things/{thing}/?search=canary&page=2", headers={"X-Request-ID": "abc"})

    (line,) = access_lines(caplog)
    assert (line.method, line.route, line.status) == ("GET", "api/things/<uuid:pk>/", 200)
    assert line.query == ["page", "search"]
    assert line.user_id is None
    assert line.duration_ms >= 0
    assert str(thing) not in str(vars(line))
    assert "canary" not in str(vars(line))


@pytest.mark.parametrize(("url", "status", "route"), [("/fail/", 500, "fail/"), ("/missing/", 404, None)])
def test_failed_requests_have_an_access_line(
    client: Client, caplog: pytest.LogCaptureFixture, url: str, status: int, route: str | None
) -> None:
    caplog.set_level("INFO", logger="core.access")

    client.get(url)

    (line,) = access_lines(caplog)
    assert (line.status, line.route) == (status, route)


def test_a_query_with_more_parameters_than_are_read_is_answered_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="core.access")

    response = client.get("/plain/?" + "&".join(f"p{number}=1" for number in range(2000)))

    assert response.status_code == 200
    assert access_lines(caplog)[0].query == []


def test_probes_do_not_fill_the_access_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="core.access")

    client.get("/livez")

    assert access_lines(caplog) == []


@pytest.mark.django_db
def test_the_access_line_names_the_caller(client: Client, caplog: pytest.LogCaptureFixture, registrar: Any) -> None:
    caplog.set_level("INFO", logger="core.access")

    def answer(request: HttpRequest) -> HttpResponse:
        request.user = registrar
        return HttpResponse()

    RequestMiddleware(answer)(RequestFactory().get("/"))

    assert access_lines(caplog)[0].user_id == registrar.pk


@pytest.mark.django_db
def test_in_development_the_answer_says_what_the_database_cost(client: Client, settings: Any) -> None:
    settings.DEBUG = True

    assert client.get("/api/asked/")["Server-Timing"].endswith('desc="2 statements"')


@pytest.mark.django_db
def test_elsewhere_it_does_not(client: Client) -> None:
    assert not client.get("/api/asked/").has_header("Server-Timing")
