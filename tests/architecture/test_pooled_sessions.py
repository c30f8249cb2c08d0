"""Nothing is left in a session of the database: PgBouncer lends it to somebody else after each transaction."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for label in settings.FIRST_PARTY_APPS
    for path in sorted((ROOT / label).rglob("*.py"))
}
OUTLASTS = {
    "a setting": re.compile(r"(?:^|;)\s*(?:SET\s+(?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)|RESET\s)\S"),
    "a setting by function": re.compile(r"\bset_config\([^()]*,\s*false\s*\)", re.IGNORECASE),
    "an advisory lock": re.compile(r"\bpg_(?:try_)?advisory_(?:un)?lock", re.IGNORECASE),
    "a subscription": re.compile(r"(?:^|;)\s*(?:UN)?LISTEN\s"),
    "a prepared statement": re.compile(r"(?:^|;)\s*PREPARE\s+(?!TRANSACTION\b)\S"),
    "a cursor": re.compile(r"\bWITH\s+HOLD\b"),
    "a temporary table": re.compile(r"\bCREATE\s+TEMP(?:ORARY)?\s(?!.*\bON\s+COMMIT\s+DROP\b)", re.DOTALL),
}
# Sessions of their own, past the pool: one listens, the other asks how the server is, however busy the pool may be.
JUSTIFIED = {
    "core/db/notifications.py": ["a connection", "a subscription"],
    "core/health.py": ["a connection"],
}


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module, those with placeholders in one piece."""
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.value


def connects(tree: ast.AST) -> bool:
    """Say whether a connection is opened past Django's."""
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "psycopg"
        for alias in node.names
    }
    return bool(
        called & {"psycopg.connect", "psycopg.Connection.connect", *(f"{name}.connect" for name in imported)}
    ) or ("connect" in imported)


def left_by(tree: ast.AST) -> list[str]:
    """Return what a module leaves in a session."""
    found = {name for text in texts(tree) for name, pattern in OUTLASTS.items() if pattern.search(text)}
    return sorted(found | ({"a connection"} if connects(tree) else set()))


def test_no_module_leaves_anything_in_a_session_that_others_are_lent() -> None:
    assert {path: found for path, tree in SOURCES.items() if (found := left_by(tree))} == JUSTIFIED


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cursor.execute('SET lock_timeout = 5')", "a setting"),
        ("cursor.execute(f'SELECT 1; SET {name} = 5')", "a setting"),
        ("cursor.execute(\"SELECT set_config('a.b', %s, false)\")", "a setting by function"),
        ("cursor.execute('SELECT pg_advisory_lock(1)')", "an advisory lock"),
        ("cursor.execute('SELECT pg_try_advisory_lock_shared(1)')", "an advisory lock"),
        ("cursor.execute('LISTEN events')", "a subscription"),
        ("cursor.execute('PREPARE one AS SELECT 1')", "a prepared statement"),
        ("cursor.execute('DECLARE c CURSOR WITH HOLD FOR SELECT 1')", "a cursor"),
        ("cursor.execute('CREATE TEMP TABLE t (id int)')", "a temporary table"),
        ("psycopg.connect(url)", "a connection"),
        ("from psycopg import Connection\nConnection.connect(url)", "a connection"),
        ("from psycopg import connect", "a connection"),
    ],
)
def test_what_is_looked_for_is_found(line: str, found: str) -> None:
    assert left_by(ast.parse(line)) == [found]


@pytest.mark.parametrize(
    "line",
    [
        "cursor.execute('SET LOCAL lock_timeout = 5')",
        "cursor.execute('SET CONSTRAINTS ALL IMMEDIATE')",
        "cursor.execute(f'UPDATE {table} SET {column} = 1')",
        "cursor.execute(\"SELECT set_config('a.b', %s, true)\")",
        "cursor.execute('SELECT pg_advisory_xact_lock(1)')",
        "cursor.execute('CREATE TEMP TABLE t (id int) ON COMMIT DROP')",
        "post_migrate.connect(follow)",
    ],
)
def test_what_ends_with_its_transaction_is_let_be(line: str) -> None:
    assert left_by(ast.parse(line)) == []
