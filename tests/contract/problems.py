"""What every refusal has in common, and how to see that it changed nothing."""

from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection

from core.api.codes import known_codes

MEMBERS = {"type", "title", "status", "detail", "code", "success", "message", "errors", "request_id", "timestamp"}
KEPT_OF_REFUSALS = {"audit_event", "accounts_guesscount"}


@cache
def documented() -> dict[str, set[int]]:
    """Return every documented code with the statuses it comes with."""
    codes: dict[str, set[int]] = {}
    for known in known_codes():
        codes.setdefault(known.code, set()).add(known.status)
    return codes


def assert_refused(answer: Any, what: Any = "") -> dict[str, Any]:
    """Insist on a problem document of documented codes, and return it."""
    assert 400 <= answer.status_code < 500, (what, answer.status_code, answer.content[:500])
    assert answer.headers["Content-Type"] == "application/problem+json", what
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == MEMBERS, what
    assert problem["status"] == answer.status_code, what
    assert problem["success"] is False, what
    assert problem["message"] == problem["title"] != "", what
    assert problem["errors"], what
    assert problem["code"] in documented(), (what, problem)
    if problem["code"] != "invalid":
        assert answer.status_code in documented()[problem["code"]], (what, problem)
    for error in problem["errors"]:
        assert_documented(error, what)
    return problem


def assert_documented(error: dict[str, Any], what: Any = "") -> None:
    """Insist on the shape of one violation, and on a code that the reference lists."""
    assert error.keys() == {"code", "field", "detail", "meta"}, (what, error)
    assert error["code"] in documented(), (what, error)
    assert error["detail"], (what, error)


def everything() -> dict[str, tuple[int, int]]:
    """Return how many rows each table has, and how often they have been changed, but for what is kept of refusals."""
    parts = []
    for label in settings.FIRST_PARTY_APPS:
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            changes = "coalesce(sum(version), 0)" if hasattr(model, "version") else "0"
            table = model._meta.db_table
            if table in KEPT_OF_REFUSALS:
                continue
            parts.append(f"SELECT '{table}', count(*), {changes} FROM {connection.ops.quote_name(table)}")  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return {table: (rows, int(changes)) for table, rows, changes in cursor.fetchall()}
