"""Asking the API what the expectations say about, and saying in sentences where the two differ."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from psycopg import sql

from core.errors import ForbiddenError
from tests.authorization.bodies import body_for
from tests.authorization.cast import UNIDENTIFIED
from tests.authorization.expectations import ROWS, Cell, Expectations, address
from tests.authorization.world import ARCHIVED, MISSING, MISSING_ID, OTHER, OWN, World
from tests.contract.routes import Route, routes

PAGE = 200
SAFE = ("GET", "HEAD", "OPTIONS")
# Written down about a request, whatever becomes of it.
RECORDS = re.compile(r"audit_|accounts_signingkey|accounts_apikeyuse")
# What is accepted and writes nothing: what is refused item by item, a question with a body, ending one's
# other sessions, which nobody here has, steps that the links of the world have taken, and reading what most were never
# told.
WRITE_NOTHING = (
    "POST attendance/sessions/sync/", "POST enrollments/preflight/", "DELETE auth/sessions/",
    "POST guardian-links/{pk}/verify/", "POST guardian-links/{pk}/consent/",
    "POST attendance/punches/", "POST notifications/read-all/",
)  # fmt: skip
# How somebody is refused who may not do such a thing at all, and a program what takes a person's session.
NOT_PERMITTED = (ForbiddenError.code, "session_required")
VOLATILE = ("timestamp", "request_id")


@dataclass(frozen=True)
class Operation:
    """A method of a route, which is a row of the matrix."""

    route: Route
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def action(self) -> str:
        return self.route.actions[self.method]

    @property
    def place(self) -> str:
        """What its answers show: creating a row answers with what reading it shows."""
        if self.action.startswith("bulk_"):
            return "bulk"
        resource, key = address(self)
        if self.action == "create" and self.route.view.shown_once:  # more than reading it ever shows
            return f"{resource} new"
        return f"{resource} {'{pk}' if self.action == 'create' and not key else key}".strip()

    @property
    def names_a_row(self) -> bool:
        return {"pk", "parent"} & set(self.route.names) != set() or self.action in ("bulk_update", "bulk_delete")

    @property
    def subject(self) -> Any:
        """The model of the row that a request names."""
        parents = getattr(self.route.view, "parents", None)
        if parents is not None:
            return parents.model
        if "parent" in self.route.names:
            return self.route.model._meta.get_field(self.route.view.parent_field).related_model
        return self.route.model


@dataclass(frozen=True)
class Answer:
    """What came back, and which tables a refused or a safe request changed."""

    status: int
    code: str | None
    data: Any
    comparable: str
    changed: tuple[str, ...]
    wrote: bool

    @property
    def ids(self) -> set[str]:
        return {str(row["id"]) for row in self.data} if isinstance(self.data, list) else set()


def operations() -> list[Operation]:
    """Return every method of every route."""
    return [Operation(route, method) for route in routes() for method in route.actions]


def targets(operation: Operation, world: World, actor: str) -> list[str]:
    """Return which rows an operation is tried on; whoever is not logged in is turned away before there is one."""
    if actor in UNIDENTIFIED:
        return [OWN]
    if operation.names_a_row:
        archived = world.row(operation.subject, ARCHIVED) is not None
        return [OWN, OTHER, *([ARCHIVED] if archived else []), MISSING]
    return [OWN, OTHER] if operation.method == "POST" and hasattr(operation.route.view, "queryset") else [OWN]


def ask(world: World, operation: Operation, actor: str, target: str, query: str = "") -> Answer:
    """Send the request in a savepoint, so that the world stays as it is."""
    route, values = operation.route, {}
    for name in route.names:
        row = None if target == MISSING or name == "kind" else world.row(operation.subject, target)
        values[name] = "departments" if name == "kind" else MISSING_ID if row is None else row.pk
    body = body_for(route, operation.method, world, target)
    options: dict[str, Any] = {} if body is None else {"data": body, "format": "json"}
    if body is not None and takes_a_form(operation):
        options["format"] = "multipart"
    options["headers"] = stated(world, operation, target)
    client = world.clients[actor]
    with transaction.atomic():
        before = world.written
        response = getattr(client, operation.method.lower())(route.url(**values) + query, **options)
        if response.streaming:  # until it is read it counts as being sent
            list(response.streaming_content)
        world.written = written()
        touched = sorted(table for table, _ in set(world.written.items()) - set(before.items()))
        is_refused = response.status_code >= 400 or operation.method in SAFE
        found = [fingerprint(table) for table in touched] if is_refused else []
        transaction.set_rollback(True)
    # What a refused request wrote and took back is no change.
    changed = tuple(table for table, state in zip(touched, found, strict=False) if state != fingerprint(table))
    return _read(response, changed, bool(touched), [str(each) for each in values.values()], body)


def stated(world: World, operation: Operation, target: str) -> dict[str, str]:
    """Return the headers that say what was read of a row, where a step is taken for nobody who does not say it."""
    if operation.action not in getattr(operation.route.view, "stated_steps", ()):
        return {}
    row = world.row(operation.subject, target) if target != MISSING else None
    return {"If-Match": f'"{row.version if row else 1}-read"'}


def takes_a_form(operation: Operation) -> bool:
    """Say whether the operation reads forms rather than JSON."""
    view = operation.route.view
    parsers = getattr(getattr(view, operation.action, None), "kwargs", {}).get("parser_classes", view.parser_classes)
    return all("form" in parser.media_type for parser in parsers)


@cache
def tables(*, records: bool = False) -> tuple[list[str], list[int]]:
    """Return the names and ids of the tables in which a request may leave something; looking them up is slow.

    Those in which it is written down that there was a request are among them if `records` are asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, relid FROM pg_stat_user_tables ORDER BY relname")
        found = [(name, oid) for name, oid in cursor.fetchall() if records or not RECORDS.match(name)]
    return [name for name, _ in found], [oid for _, oid in found]


def written(*, records: bool = False) -> dict[str, int]:
    """Return how many rows this transaction has written, by table; those undone count as well."""
    with connection.cursor() as cursor:
        cursor.execute(counting(records))
        return dict(cursor.fetchall())


@cache
def counting(records: bool) -> str:
    """Return the statement that asks how many; it is asked after every request."""
    with connection.cursor() as cursor:
        return str(
            cursor.mogrify(
                "SELECT name, n FROM unnest(%s::text[], %s::oid[]) AS watched (name, id),"
                " LATERAL (SELECT pg_stat_get_xact_tuples_inserted(id) + pg_stat_get_xact_tuples_updated(id)"
                " + pg_stat_get_xact_tuples_deleted(id)) AS written (n) WHERE n > 0",
                tables(records=records),
            )
        )


def fingerprint(table: str) -> Any:
    """Return the number of rows of a table and a sum over all that they hold."""
    with connection.cursor() as cursor:
        name = sql.Identifier(table)
        cursor.execute(sql.SQL("SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {} t").format(name))
        return cursor.fetchone()


def _read(response: HttpResponse, changed: tuple[str, ...], wrote: bool, ids: Sequence[str], body: Any) -> Answer:
    is_json = "json" in response.headers.get("Content-Type", "")
    content = json.loads(response.content) if is_json and response.content else {}
    shown = (
        {name: value for name, value in content.items() if name not in VOLATILE} if isinstance(content, dict) else {}
    )
    if isinstance(body, dict):
        ids = [*ids, *(item["id"] for item in body.get("items", []) if "id" in item)]
    comparable = json.dumps([response.status_code, response.headers.get("Content-Type"), shown], sort_keys=True)
    for each in ids:
        comparable = comparable.replace(each, "…")
    data = content.get("data") if isinstance(content, dict) else None
    return Answer(response.status_code, shown.get("code"), data, comparable, changed, wrote)


def disagreements(
    world: World, operation: Operation, expected: Expectations, actors: Collection[str] | None = None
) -> Iterator[str]:
    """Say where the API answers otherwise, to some actors or to all, than the expectations have it."""
    line = expected.line(operation)
    world.written = written()
    for actor in world.clients if actors is None else actors:
        cell = line.cell(actor)
        yield from _of_actor(world, operation, actor, cell, expected)


def _of_actor(world: World, op: Operation, actor: str, cell: Cell, expected: Expectations) -> Iterator[str]:
    answers = {}
    # The rows of the cast are among more than a page has by itself.
    query = f"?page_size={PAGE}" if op.method == "GET" and op.route.lists else ""
    for target in targets(op, world, actor):
        answer = answers[target] = ask(world, op, actor, target, query)
        wanted = cell.status(target)
        where = f"{op} of the {target} row" if op.names_a_row else f"{op} ({target})"
        if answer.status != wanted:
            yield f"{actor} gets {answer.status} instead of {wanted} from {where}: {answer.comparable[:300]}"
            continue
        # Whoever may not do such a thing is told so before anything is looked up or written.
        if cell.is_refused and answer.status == 403 and answer.code not in NOT_PERMITTED:
            yield f"{actor} is refused {where} as {answer.code} instead of {' or '.join(NOT_PERMITTED)}"
        if answer.changed:
            yield f"{actor} gets {answer.status} from {where}, which changes {', '.join(answer.changed)} all the same"
        is_write = op.method not in SAFE and str(op) not in WRITE_NOTHING and target != ARCHIVED
        if answer.status < 300 and is_write and not answer.wrote:
            yield f"{actor} gets {answer.status} from {where}, which writes nothing"
        if answer.status < 300 and answer.data is not None:
            yield from expected.unreadable(op, actor, answer.data, where)
        if answer.status == 200 and op.route.lists and op.method == "GET":
            yield from _of_rows(world, op, actor, (target, cell, answer))
    yield from _told_apart(op, actor, cell, answers)


def _of_rows(world: World, op: Operation, actor: str, found: tuple[str, Cell, Answer]) -> Iterator[str]:
    """Say which rows of a list are missing or too many: of those of the cast, by the expectations."""
    target, cell, answer = found
    if op.names_a_row and target in (OWN, OTHER) and bool(answer.ids) == cell.is_empty(target):
        yield f"{op} of the {target} row shows {actor} {len(answer.ids)} rows"
    if op.names_a_row:
        return
    if op.route.model not in world.rows and cell.rows is not None and bool(answer.ids) != bool(ROWS[cell.rows]):
        yield f"{op} shows {actor} {len(answer.ids)} rows"
    for name in (OWN, OTHER, ARCHIVED):
        row = world.rows.get(op.route.model, {}).get(name)
        if row is not None and (str(row.pk) in answer.ids) != cell.shows(name):
            fault = "does not show" if cell.shows(name) else "shows"
            yield f"{op} {fault} {actor} the {name} row"


def _told_apart(op: Operation, actor: str, cell: Cell, answers: dict[str, Answer]) -> Iterator[str]:
    """Say where a row out of sight answers otherwise than one that does not exist."""
    missing = answers.get(MISSING)
    for target, answer in answers.items():
        hidden = cell.is_refused or cell.status(target) == 404
        if missing is None or target == MISSING or not hidden or actor in UNIDENTIFIED:
            continue
        if answer.comparable != missing.comparable:
            yield f"{op} tells {actor} that the {target} row exists: {answer.comparable} and {missing.comparable}"
