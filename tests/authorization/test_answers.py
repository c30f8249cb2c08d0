"""What holds for the answers of every route: all of a question is looked at, and nobody else gets the answer."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.urls import URLResolver, get_resolver

from core.api.renderers import JSONRenderer
from core.api.serializers import expansions
from tests.authorization import matrix
from tests.authorization.matrix import Operation
from tests.authorization.world import MISSING_ID, OWN, World
from tests.contract.operations import document

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

OPERATIONS = matrix.operations()
READS = [op for op in OPERATIONS if op.method == "GET"]
PRIVATE = "private, no-store"
# Whom nobody need know, so that anybody may keep the answer.
PUBLIC = {"auth/jwks.json": "public, max-age=300"}
SCRIPT = "<script>alert(1)</script>"
INJECTED = f"{SCRIPT}\r\nX-Injected: 1"
# Between them they may do everything.
WHOEVER = ("system_admin", "registrar", "student", "auditor")
CONTRACT = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
METHODS = CONTRACT | {"OPTIONS"}
PLACEHOLDER = re.compile(r"\{[^}]*\}")
# Probes, what is counted, pages for people, and what describes the API.
ELSEWHERE = {
    "/", "/favicon.ico", "/livez", "/readyz", "/health/", "/metrics", "/admin/", "/admin/autocomplete/",
    "/admin/password_change/", "/admin/second_factor/", "/calendars/<str:secret>.ics",
    "/api/v1/schema/", "/api/v1/docs/", "/api/v1/docs/redoc/",
}  # fmt: skip
JSON = ("application/json", "application/problem+json")


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Any
    text: str

    @property
    def errors(self) -> set[tuple[str, str]]:
        """What is wrong, and with what."""
        return {(error["code"], error["field"]) for error in json.loads(self.text).get("errors", [])}

    @property
    def says(self) -> Any:
        """The content, without when and to which request."""
        if "json" not in self.headers.get("Content-Type", ""):
            return self.text
        return {name: value for name, value in json.loads(self.text).items() if name not in matrix.VOLATILE}


def url_of(world: World, op: Operation) -> str:
    """Return the URL of an operation on the own row."""
    values: dict[str, Any] = {}
    for name in op.route.names:
        row = None if name == "kind" else world.row(op.subject, OWN)
        values[name] = "departments" if name == "kind" else MISSING_ID if row is None else row.pk
    return op.route.url(**values)


def send(world: World, op: Operation, actor: str, query: str = "", **options: Any) -> Answer:
    """Ask with an empty object for a body, and undo what became of it."""
    with transaction.atomic():
        url, kind = url_of(world, op) + query, "application/json"
        answer = world.clients[actor].generic(op.method, url, options.pop("body", b"{}"), kind, **options)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return Answer(answer.status_code, answer.headers, content.decode(errors="backslashreplace"))


def asked_by_whoever_may(world: World, op: Operation, query: str) -> Answer:
    """Return the first answer that is no refusal of the caller."""
    answers = (send(world, op, actor, query) for actor in WHOEVER)
    return next(answer for answer in answers if answer.status not in (401, 403))


@pytest.mark.checklist(46)
def test_a_parameter_that_a_route_does_not_know_is_refused_by_every_method(world: World) -> None:
    faults = []
    for op in OPERATIONS:
        answer = asked_by_whoever_may(world, op, "?nothing_here=1")
        if (answer.status, answer.errors) != (400, {("unknown_parameter", "nothing_here")}):
            faults.append(f"{op}: {answer.status} {answer.text[:200]}")

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.checklist(46)
def test_a_parameter_that_comes_twice_is_refused_wherever_it_is_known(world: World) -> None:
    faults = []
    for op in OPERATIONS:
        known = known_to(op)
        twice = "&".join(f"{name}={value}" for name, values in known.items() for value in values)
        answer = asked_by_whoever_may(world, op, f"?{twice}") if known else None
        told = {name for code, name in answer.errors if code == "repeated_parameter"} if answer else set()
        if told != known.keys():
            faults.append(f"{op} takes {sorted(known.keys() - told)} twice")

    assert not faults, "\n" + "\n".join(faults)


def known_to(op: Operation) -> dict[str, tuple[str, str]]:
    """Return the parameters that an operation takes, with two values each."""
    if not hasattr(op.route.view, "list_serializer_class"):
        return {}
    known = {"fields": ("id", "id"), "include": ("", "")}
    if op.method == "GET" and op.action == "list":
        known |= {"page_size": ("1", "2"), "page": ("1", "2"), "cursor": ("a", "b"), "ordering": ("id", "-id")}
        known |= {"search": ("a", "b")} if op.route.view.searchable else {}
        filters = getattr(op.route.view, "filterset_class", None)
        known |= dict.fromkeys(filters.base_filters if filters else (), ("1", "2"))
    return known


@pytest.mark.checklist(61, 64)
def test_no_answer_is_a_page_and_no_header_is_made_of_input(world: World) -> None:
    faults = []
    for op in OPERATIONS:
        body = json.dumps({SCRIPT: SCRIPT, "email": SCRIPT, "name": SCRIPT}).encode()
        names = ("X_REQUEST_ID", "IDEMPOTENCY_KEY", "IF_NONE_MATCH", "IF_MATCH", "ORIGIN", "REFERER", "USER_AGENT")
        headers = {"HTTP_ACCEPT": "text/html", **{f"HTTP_{name}": INJECTED for name in names}}
        for actor in ("anonymous", "system_admin"):
            answer = send(
                world, op, actor, f"?{quote(INJECTED)}={quote(INJECTED)}&search={quote(INJECTED)}", body=body, **headers
            )
            kind = answer.headers.get("Content-Type", "").partition(";")[0]
            if kind not in JSON or answer.headers.get("X-Content-Type-Options") != "nosniff":
                faults.append(f"{op} answers {actor} {answer.status} as {kind}")
            if "alert" in str(answer.headers) or "Injected" in str(answer.headers):
                faults.append(f"{op} repeats to {actor} in a header what was sent: {answer.headers}")

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.checklist(69)
def test_nobody_but_its_reader_keeps_an_answer_or_is_spared_one_of_their_own(world: World) -> None:
    faults = []
    for op in READS:
        mine = {actor: send(world, op, actor) for actor in ("system_admin", "student", "anonymous")}
        for actor, answer in mine.items():
            wanted = PUBLIC.get(str(op.route), PRIVATE) if answer.status == 200 else PRIVATE
            if answer.headers.get("Cache-Control") != wanted:
                faults.append(f"{op} tells {actor} {answer.status} {answer.headers.get('Cache-Control')}")
        alices = mine["system_admin"].headers.get("ETag")
        for actor in ("student", "anonymous"):
            bobs = send(world, op, actor, HTTP_IF_NONE_MATCH=alices or '"0"')
            if (bobs.status == 304) != (alices is not None and mine[actor].headers.get("ETag") == alices):
                faults.append(f"{op} answers {actor} {bobs.status} to a tag of somebody else's answer")
            if bobs.status != 304 and (bobs.status, bobs.says) != (mine[actor].status, mine[actor].says):
                faults.append(f"{op} shows {actor} something else after somebody else has asked")
            if bobs.status == 304 and mine[actor].says != mine["system_admin"].says:
                faults.append(f"{op} spares {actor} an answer that is not the one they would get")

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.checklist(72)
def test_a_method_that_a_route_does_not_offer_is_refused_and_the_others_named(world: World) -> None:
    faults = []
    for op in {str(op.route): op for op in OPERATIONS}.values():
        offered = {*op.route.actions} | ({"HEAD"} if "GET" in op.route.actions else set())
        for method in METHODS - offered:
            answer = send(world, Operation(op.route, method), "system_admin")
            named = set(answer.headers.get("Allow", "").split(", "))
            if answer.status != 405 or not offered <= named or method in named:
                faults.append(f"{method} {op.route}: {answer.status}, allowed are {sorted(named)}")

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.checklist(65)
def test_no_view_answers_with_a_page_to_try_it_out_on() -> None:
    rendered = {
        renderer
        for op in OPERATIONS
        for renderer in getattr(getattr(op.route.view, op.action, None), "kwargs", {}).get(
            "renderer_classes", op.route.view.renderer_classes
        )
    }

    assert rendered
    assert all(issubclass(renderer, JSONRenderer) for renderer in rendered)


@pytest.mark.checklist(48)
def test_what_may_be_included_lies_at_most_two_steps_away() -> None:
    readers = {reader for op in READS if op.route.lists for reader in readers_of(op)}

    assert readers
    assert not {name for reader in readers for name in expansions(reader) if name.count(".") > 1}


def readers_of(op: Operation) -> set[Any]:
    return {op.route.view.list_serializer_class, op.route.view.detail_serializer_class}


@pytest.mark.checklist(80)
def test_what_is_served_is_what_is_documented_and_nothing_else() -> None:
    documented = {
        (method.upper(), PLACEHOLDER.sub("{}", path))
        for path, methods in document()["paths"].items()
        for method in methods
    }
    served = {(op.method, PLACEHOLDER.sub("{}", op.route.path)) for op in OPERATIONS}

    assert documented == served
    assert set(elsewhere(get_resolver().url_patterns)) == ELSEWHERE


def elsewhere(patterns: Any, prefix: str = "/") -> Iterator[str]:
    """Yield what is served beside the resources of the one version that there is."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and pattern.app_name != "admin":
            yield from elsewhere(pattern.url_patterns, path)
        elif not hasattr(getattr(pattern, "callback", None), "cls"):
            yield path
