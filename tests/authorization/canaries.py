"""Secrets that nobody has but the tests, sent through every route, and every place where they must not be found.

Each operation is asked with a body that would be accepted and has secrets where it takes some, with such a body and
more beside it, with a secret in every field, with a body that breaks off, and by callers whose token or key is one.
What a request writes is looked through before it is undone; what outlives it (the log, both servers of Redis, metrics,
files) in the end.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from tests.authorization import matrix
from tests.authorization.bodies import body_for
from tests.authorization.expectations import reviewed
from tests.authorization.matrix import SAFE, Operation
from tests.authorization.test_answers import WHOEVER, url_of
from tests.authorization.world import OWN, World
from tests.contract.operations import operations as writes
from tests.security.traces import forms_of, mark, written_with

PASSWORD, TOKEN = "canary parakeet 7391 lanterns", "canary-token-Zq7391xVw8264"
KEY, NATIONAL_ID = "chk_canaryZq7391xVw8264", "QZ 4417 9032"
SECRETS = (PASSWORD, TOKEN, KEY, NATIONAL_ID)
# One of the values of a body, and one of a header: the first is written where it is meant to be, and nowhere else.
BODY, HEADER = "canary remark 5550 of a body", "canary-header-5550-1987"
HEADERS = {
    "X-Canary": HEADER, "X-Api-Key": KEY, "X-CSRFToken": TOKEN, "Proxy-Authorization": f"Basic {TOKEN}",
    "Cookie": f"sessionid={TOKEN}; canary={HEADER}", "Referer": f"https://campus.example/?token={TOKEN}&x={HEADER}",
}  # fmt: skip
CREDENTIALS = (f"Bearer {TOKEN}", f"Api-Key {KEY}", f"Basic {TOKEN} {KEY}")
# What is sent for a name that is for a secret, by what is part of the name.
OF_NAMES = {
    "password": PASSWORD, "token": TOKEN, "refresh": TOKEN, "api_key": KEY, "device_key": KEY, "credential": TOKEN,
    "national_id": NATIONAL_ID,
}  # fmt: skip
BESIDE = {"password": PASSWORD, "token": TOKEN, "api_key": KEY, "national_id": NATIONAL_ID, "remark": BODY}
# Names whose values are texts for people.
TEXTS = {"reason", "note", "statement", "help_text", "note_of_review", "home_address", "description"}
NAMES = {"name", "title", "last_name", "label"}
# Where a text of a body stands by right, beside the row that it was written to: in the row that is written with it, in
# steps and why they were taken, in the history of the row, in the answer that is kept for whoever repeats the request,
# and in the log of what was done the reason that was asked for and the name of an API key.
HELD = {
    "accounts_person": {"last_name", "search_name", "search_text"},
    "courses_courseversion": {"title", "description", "search_text"},
    "students_studentstatusevent": {"reason"}, "students_programenrollmentevent": {"reason"},
    "faculty_facultystatusevent": {"reason"}, "courses_sectionstatusevent": {"reason"},
    "departments_termstateevent": {"reason"}, "enrollment_enrollmentevent": {"reason"},
    "attendance_excuseevent": {"reason"}, "attendance_substitutionevent": {"reason"},
    "projects_submission": {"statement"},
    "audit_change": {"changes"}, "core_idempotencykey": {"response_body"}, "audit_event": {"reason"},
}  # fmt: skip
NAMES_OF_KEYS = ("api-keys/", "audit_event", "detail")
MONTH = re.compile(r"_(\d{6}|default)$")
TRACES, BODIES, HEADERS_ALONE = forms_of(*SECRETS, HEADER), forms_of(BODY), forms_of(HEADER)


@dataclass(frozen=True)
class Attempt:
    """A request: what is odd about it, who sends it, its body and its type; whether all in it is where it belongs."""

    kind: str
    actor: str
    body: bytes = b""
    content_type: str = "application/json"
    form: Mapping[str, Any] | None = None
    credentials: str = ""
    query: str = ""
    is_sound: bool = False


def attempts(world: World, op: Operation) -> Iterator[Attempt]:
    """Return what is sent to an operation."""
    strange = CREDENTIALS[len(str(op)) % len(CREDENTIALS)]
    yield Attempt("strange credentials", "anonymous", b"{}", credentials=strange)
    actor = whoever_may(op)
    query = f"?token={TOKEN}&password={PASSWORD.replace(' ', '+')}&nothing={BODY.replace(' ', '+')}"
    yield Attempt("a query", actor, b"{}", query=query)
    if op.method in SAFE:
        return
    if matrix.takes_a_form(op):
        yield from _forms(op, actor)
        return
    sound = sound_body(world, op)
    yield Attempt("sound", actor, encoded(sound), is_sound=True)
    yield Attempt("more beside it", actor, encoded({**(sound or {}), **BESIDE}))
    declared = fields_of(op)
    for first in range(0, len(SECRETS), 2):
        spread = {name: SECRETS[(first + place) % len(SECRETS)] for place, name in enumerate(declared)}
        yield Attempt("secrets in every field", actor, encoded({"items": [spread]} if "items" in declared else spread))
    broken = encoded(BESIDE)[:-1]
    yield Attempt("broken off", actor, broken)
    yield Attempt("another type", actor, broken, "application/x-www-form-urlencoded")
    yield Attempt("a list", actor, encoded([BESIDE]))


def _forms(op: Operation, actor: str) -> Iterator[Attempt]:
    """Return forms with a file: secrets stand beside the columns that are imported, and beside a file that is kept."""
    table = "code,name\nNEW,Novelty\n"
    if str(op.route).startswith("imports/"):
        table = f"code,name,password\nNEW,Novelty,{PASSWORD}\nNEWER,Novelty,{KEY},{TOKEN},{NATIONAL_ID},{BODY}\n"
    for more in ({}, {"kind": "departments"}, {"kind": TOKEN, "password": PASSWORD, "token": TOKEN, "remark": BODY}):
        yield Attempt("a form", actor, form={**more, "file": SimpleUploadedFile("departments.csv", table.encode())})
    broken = f"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n{PASSWORD}".encode()
    yield Attempt("a broken form", actor, broken, "multipart/form-data; boundary=x")


def whoever_may(op: Operation) -> str:
    """Return somebody whom the operation lets through, or who gets furthest."""
    line = reviewed().line(op)
    able = [actor for actor in (*WHOEVER, "instructor", "integration") if line.cell(actor).status(OWN) < 300]
    return next(iter(able), "system_admin")


def sound_body(world: World, op: Operation) -> Any:
    """Return a body that would be accepted, with secrets where it takes some and a canary among its texts."""
    body = body_for(op.route, op.method, world, OWN)
    if str(op.route).startswith("auth/"):  # all that is sent there but an address is a secret, or may be
        names = (name for name in fields_of(op) if name != "email")
        return {name: PASSWORD if "password" in name else TOKEN for name in names} | {"email": "canary@example.org"}
    if not isinstance(body, dict):
        return body
    if set(body) == {"items"}:
        return {"items": [_planted(item, fields_of(op)) for item in body["items"]]}
    return _planted(body, fields_of(op))


def _planted(body: dict[str, Any], declared: tuple[str, ...]) -> dict[str, Any]:
    """Return a body with secrets and texts in the place of what is neither a switch nor a name for programs."""
    own = {name: secret for name in (*declared, *body) for part, secret in OF_NAMES.items() if part in name}
    texts = {name: BODY for name in declared if name in TEXTS} | {name: BODY for name in body if name in NAMES | TEXTS}
    fixed = {name for name in own if name.startswith("must_")}
    fixed |= {"name"} if {"label", "size"} & body.keys() else set()
    fixed |= {name for name, each in body.items() if isinstance(each, dict | list)}
    value = {"value": NATIONAL_ID} if body.get("scheme") else {}
    return body | {name: each for name, each in {**texts, **own, **value}.items() if name not in fixed}


def fields_of(op: Operation) -> tuple[str, ...]:
    """Return the names that the body of an operation may have."""
    return _declared().get(str(op), ())


@cache
def _declared() -> dict[str, tuple[str, ...]]:
    return {str(each): each.fields for each in writes()}


def encoded(body: Any) -> bytes:
    return json.dumps({} if body is None else body, cls=DjangoJSONEncoder).encode()


def faults(world: World, op: Operation, attempt: Attempt, answered: dict[str, bytes]) -> Iterator[str]:
    """Send a request, undo it, and say where something of it was found that must not be there.

    With what a sound one was refused, if it was, is put into `answered`.
    """
    client = world.clients[attempt.actor]
    headers = {
        **HEADERS,
        **matrix.stated(world, op, OWN),
        **({"Idempotency-Key": f"canary {attempt.kind}"} if op.method == "POST" else {}),
    }
    if attempt.credentials:
        headers["Authorization"] = attempt.credentials
    with transaction.atomic():
        before, since = matrix.written(records=True), mark()
        url = url_of(world, op) + attempt.query
        if attempt.form is not None:
            answer = client.post(url, attempt.form, format="multipart", headers=headers)
        else:
            answer = client.generic(op.method, url, attempt.body, attempt.content_type, headers=headers)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        touched = sorted(table for table, _ in set(matrix.written(records=True).items()) - set(before.items()))
        where = f"{op} ({attempt.kind}) as {attempt.actor}, which answers {answer.status_code}"
        yield from (f"{where}: {what}" for what in found(op, attempt, answer.status_code, touched, since))
        transaction.set_rollback(True)
    if answer.status_code >= 400:
        yield from (f"{where}, repeats {each!r}: {content[:400]!r}" for each in _in(content))
    if attempt.is_sound:
        answered[str(op)] = content if answer.status_code >= 300 else b""


def found(op: Operation, attempt: Attempt, status: int, touched: list[str], since: int) -> Iterator[str]:
    """Say in which tables something was found."""
    # Whatever is accepted for a text is one, though it read like a password.
    traces = TRACES if status >= 400 or attempt.is_sound else HEADERS_ALONE
    own = getattr(getattr(op.route.view, "queryset", None), "model", None)
    for table in touched:
        name = MONTH.sub("", table)
        for column, trace in written_with(table, [*traces, *BODIES], since=since):
            is_named = str(op.route).startswith(NAMES_OF_KEYS[0]) and (name, column) == NAMES_OF_KEYS[1:]
            is_own = own is not None and table == own._meta.db_table
            if trace.encode() not in BODIES:
                yield f"a secret stands in {name}.{column}"
            elif status >= 400 or not (is_named or is_own or column in HELD.get(name, ())):
                yield f"the body stands in {name}.{column}"


def _in(content: bytes) -> list[bytes]:
    return [trace for trace in [*TRACES, *BODIES] if trace in content]
