"""What reaches the logs, and what never does."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
import structlog
from django.db import DataError, IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path
from rest_framework.test import APIClient

from core.logging import MASK, describe, logging_config, request_id
from tests.testapp.models import Parent

CANARY = "canary-4711-hunter2"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"


class Written:
    """Everything the logs wrote since the test began."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        (line,) = self.lines
        return line


def logged(*, as_json: bool) -> Iterator[Written]:
    root = logging.getLogger()
    former = root.handlers[:], root.level
    loggers = {name: logging.getLogger(name).level for name in ("django", "django.server", "django.db.backends")}
    stream = io.StringIO()
    config = logging_config("DEBUG", json=as_json)
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield Written(stream)
    root.handlers[:] = former[0]
    root.setLevel(former[1])
    for name, level in loggers.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def written() -> Iterator[Written]:
    yield from logged(as_json=True)


@pytest.fixture
def shown() -> Iterator[Written]:
    yield from logged(as_json=False)


logger = logging.getLogger("tests.anything")


def test_a_line_is_one_json_object_with_time_level_and_source(written: Written) -> None:
    logger.info("thing.done", extra={"thing_id": UUID(int=1), "amount": Decimal("1.50")})

    line = written.line
    at = datetime.fromisoformat(line.pop("at"))
    assert at.tzinfo == UTC
    assert line == {
        "event": "thing.done",
        "level": "info",
        "logger": "tests.anything",
        "thing_id": str(UUID(int=1)),
        "amount": "1.50",
    }


def test_structlog_writes_the_same_lines(written: Written) -> None:
    structlog.get_logger("tests.anything").info("thing.done", thing=1, password=CANARY)

    assert (written.line["event"], written.line["thing"], written.line["password"]) == ("thing.done", 1, MASK)


def test_lines_of_a_request_carry_its_id(written: Written) -> None:
    token = request_id.set("abc")
    logger.info("within")
    request_id.reset(token)
    logger.info("outside")

    assert [line.get("request_id") for line in written.lines] == ["abc", None]


@pytest.mark.parametrize("current", ["", "abc", f"eyJ{'a' * 20}.{'b' * 20}.c"])
def test_the_line_of_a_request_is_the_one_that_all_processors_would_have_made(written: Written, current: str) -> None:
    facts = {
        "method": "bearer " + CANARY,
        "route": "api/v1/things/<uuid:pk>/",
        "status": 200,
        "duration_ms": 1.25,
        "user_id": UUID(int=1),
        "key_id": None,
        "query": ["page", "tab\t", "\udc80", f"eyJ{'a' * 20}.{'b' * 20}.c", "x" * 3000],
    }
    token = request_id.set(current)
    logging.getLogger("core.access").info("request", extra=facts)
    logger.info("request", extra=facts)
    request_id.reset(token)

    quick, whole = ({**line, "at": "", "logger": ""} for line in written.lines)
    assert quick == whole
    assert datetime.fromisoformat(written.lines[0]["at"]).tzinfo == UTC
    assert CANARY not in written.text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "Authorization",
        "HTTP_COOKIE",
        "access_token",
        "refresh",
        "client_secret",
        "api_key",
        "sessionid",
        "csrftoken",
    ],
)
def test_facts_under_the_name_of_a_secret_are_masked(written: Written, name: str) -> None:
    logger.info("thing.done", extra={name: CANARY, "inner": {name: [CANARY]}})

    assert CANARY not in written.text
    assert written.line[name] == MASK
    assert written.line["inner"][name] == MASK


@pytest.mark.parametrize("name", ["body", "data", "payload", "POST", "params", "headers", "sql"])
def test_what_a_client_sent_is_dropped(written: Written, name: str) -> None:
    logger.info("thing.done", extra={name: {"name": CANARY}, "inner": {name: CANARY, "kept": 1}})

    assert name not in written.line
    assert written.line["inner"] == {"kept": 1}


def test_anything_that_is_no_plain_fact_is_named_by_its_type(written: Written) -> None:
    logger.info("thing.done", extra={"thing": Parent(code=CANARY), "raw": CANARY.encode(), "many": [object()]})

    assert (written.line["thing"], written.line["raw"], written.line["many"]) == ("<Parent>", "<bytes>", ["<object>"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"got {TOKEN}!", f"got {MASK}!"),
        (f"Authorization: Bearer {CANARY}", f"Authorization: Bearer {MASK}"),
        (f"Api-Key {CANARY} was used", f"Api-Key {MASK} was used"),
        ("key chk_AbCdEfGh_c2VjcmV0", f"key {MASK}"),
        (f"postgres://campus:{CANARY}@db/campus is down", f"postgres://campus:{MASK}@db/campus is down"),
    ],
)
def test_what_looks_like_a_credential_is_cut_out_of_texts(written: Written, text: str, expected: str) -> None:
    logger.info(text)

    assert written.line["event"] == expected


@pytest.mark.checklist(61)
def test_nobody_can_forge_a_line(written: Written, shown: Written) -> None:
    logger.info("name is %s", 'x\n{"event": "forged"}\x1b[31m')

    assert len(shown.text.splitlines()) == 1
    assert "\x1b[31m" not in shown.text


def test_a_bug_is_logged_with_type_message_and_trace(written: Written) -> None:
    def buggy() -> None:
        raise ValueError("two is not three")

    try:
        buggy()
    except ValueError:
        logger.exception("thing.failed")

    assert written.line["error"] == "ValueError"
    assert "in buggy" in written.line["exception"]
    assert "ValueError: two is not three" in written.line["exception"]


def test_the_cause_of_an_error_is_logged_before_it(written: Written) -> None:
    effect = ValueError("effect")
    effect.__cause__ = KeyError("cause")

    logger.error("thing.failed", exc_info=effect)

    exception = written.line["exception"]
    assert 0 < exception.index("KeyError: 'cause'") < exception.index("which caused") < exception.index("effect")


@pytest.mark.django_db
def test_a_violation_is_logged_without_the_values_it_quotes(written: Written) -> None:
    Parent.objects.create(code=CANARY, name="one")

    with pytest.raises(IntegrityError, match=CANARY) as raised:
        Parent.objects.create(code=CANARY, name="two")
    logger.error("thing.failed", exc_info=raised.value)

    exception = written.line["exception"]
    assert CANARY not in written.text
    assert "django.db.utils.IntegrityError: 23505 testapp_parent testapp_parent_unique_code" in exception
    assert "psycopg.errors.UniqueViolation: 23505" in exception


@pytest.mark.django_db
@pytest.mark.parametrize("sql", ["SELECT %s::integer", "SELECT %s FROM nowhere"])
def test_the_text_of_a_failed_statement_is_not_logged(written: Written, sql: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, [CANARY])
    except Exception:
        logger.exception("thing.failed")

    assert CANARY not in written.text


def test_an_error_is_described_without_values() -> None:
    assert describe(DataError(CANARY)) == ""
    assert describe(psycopg.IntegrityError(CANARY)) == ""
    assert describe(psycopg.OperationalError("the server went away\nSELECT 1")) == "the server went away"


def test_an_endless_chain_of_errors_is_finite(written: Written) -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    logger.error("thing.failed", exc_info=one)

    assert written.line["exception"].count("ValueError: one") == 1


def test_huge_and_strange_facts_are_cut_to_size(written: Written) -> None:
    nested: Any = "bottom"
    for _ in range(50):
        nested = [nested]

    logger.info("x" * 10_000, extra={"many": list(range(1000)), "deep": nested, "nan": float("nan"), "half": "\ud800"})

    assert len(written.line["event"]) == 2000
    assert len(written.line["many"]) == 100
    assert "bottom" not in written.text
    assert written.line["nan"] == "nan"


def fail(request: HttpRequest, **_: Any) -> HttpResponse:
    raise ValueError("a bug")


def violate(request: HttpRequest) -> HttpResponse:
    for _ in range(2):
        Parent.objects.create(code=json.loads(request.body)["password"], name="twin")
    return HttpResponse()


def talk(request: HttpRequest) -> HttpResponse:
    """Log as carelessly as anybody might."""
    sent = json.loads(request.body)
    logger.error("careless", extra={"request": request, "data": sent, **sent, "META": request.META})
    logger.error("careless", extra={"headers": dict(request.headers), "token": request.GET["token"]})
    return HttpResponse()


urlpatterns = [path("fail/", fail), path("violate/", violate), path("talk/", talk), path("reset/<str:token>/", fail)]
handler404 = "core.api.exceptions.not_found"
handler500 = "core.api.exceptions.server_error"


def send_canaries(client: Client, url: str, method: str = "post") -> Any:
    client.cookies["sessionid"] = CANARY
    return getattr(client, method)(
        f"{url}?token={CANARY}&search={CANARY}",
        json.dumps({"email": f"{CANARY}@example.com", "password": CANARY, "refresh": TOKEN, "name": CANARY}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {TOKEN}", "X-Api-Key": CANARY, "Referer": f"https://x/?{CANARY}"},
    )


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.parametrize("url", ["/fail/", "/violate/", "/talk/", "/missing/", f"/reset/{CANARY}/"])
def test_no_secret_of_a_failing_request_is_logged(written: Written, url: str) -> None:
    response = send_canaries(Client(raise_request_exception=False), url)

    assert response.status_code in (200, 404, 500)
    assert "route" in written.text
    assert CANARY not in written.text
    assert TOKEN not in written.text


def routes(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    """Yield a URL for every route, with something in the place of each variable."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "(" not in route:
            yield "".join(_filled(part) for part in route.split("/")[1:])


def _filled(part: str) -> str:
    if part.startswith("<"):
        return f"/{UUID(int=1)}"
    return f"/{part}"


@pytest.mark.django_db
def test_no_secret_sent_through_any_route_is_logged(written: Written, registrar_client: APIClient) -> None:
    urls = sorted(set(routes(get_resolver().url_patterns)))
    anonymous = Client(raise_request_exception=False)
    registrar_client.raise_request_exception = False

    for url in urls:
        send_canaries(anonymous, url)
        for method in ("post", "patch"):
            getattr(registrar_client, method)(
                f"{url}?token={CANARY}", {"password": CANARY, "name": CANARY, "code": CANARY}, format="json"
            )

    assert len(urls) > 20
    assert len(written.lines) > len(urls)
    assert CANARY not in written.text
    assert TOKEN not in written.text
