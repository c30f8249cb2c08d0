"""What no linter forbids: queries, templates and addresses that a client chose, SQL past the ORM, stored code."""

import ast
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache

from campushub360.celery import app

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for label in settings.FIRST_PARTY_APPS
    for path in sorted((ROOT / label).rglob("*.py"))
}

# Where the words of a client are found.
FROM_CLIENT = {
    "request", "query_params", "GET", "POST", "FILES", "META", "COOKIES", "headers", "data", "body", "initial_data",
}  # fmt: skip
BY_KEYWORD = {
    "filter", "exclude", "get", "Q", "create", "get_or_create", "update_or_create", "update", "annotate", "alias",
    "aggregate",
}  # fmt: skip
BY_NAME = {
    "order_by", "values", "values_list", "only", "defer", "select_related", "prefetch_related", "distinct", "F",
    "Prefetch",
}  # fmt: skip
PAST_THE_ORM = {"raw", "extra", "RawSQL"}
UNPICKLERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "shelve"}
# What makes a template, or takes a text for markup as it is.
TEMPLATES = {"Template", "from_string", "Engine", "Environment"}
MARKUP = {"mark_safe", "SafeString", "SafeText", "safestring", "html_safe"}
# Their first argument is a template, or the name of one.
FORMATS = {"format_html": 0, "format_html_join": 1, "render_to_string": 0, "select_template": 0, "get_template": 0}
UNESCAPED = re.compile(r"\{%\s*autoescape\s+off|\|\s*(safe|safeseq)\b")
# Whatever opens a connection to an address that it is told.
CLIENTS = {
    "aiohttp", "ftplib", "http.client", "httpx", "imaplib", "pycurl", "requests", "smtplib", "socket", "urllib.request",
    "urllib3", "websocket", "websockets", "xmlrpc.client",
}  # fmt: skip
# They ask what nobody else names, but for one that looks at each address first.
OWN_CALLS = {
    # Asks the addresses of OpenID Connect providers that the operator has configured, and follows them nowhere else.
    "accounts/oidc.py": ["http.client", "urllib.request"],
    # Asks the address that the operator has configured, and follows it nowhere else.
    "texts/grammar.py": ["http.client", "urllib.request"],
    "campushub360/local/engine.py": ["socket"],
    "campushub360/local/engines.py": ["socket"],
    "campushub360/local/stack/topology.py": ["urllib.request"],
    "core/security/outgoing.py": ["http.client", "socket"],
    "campushub360/local/supervisor.py": ["socket", "urllib.request"],
    # Asks the scanner for viruses that the operator has configured.
    "files/clamd.py": ["socket"],
}
# What writes tables; one module does, and neutralises formulas.
WRITERS = {"csv.writer", "csv.DictWriter", "DictWriter", "Workbook", "openpyxl.Workbook"}
TABLES = "core/tables.py"
OWN_PATTERNS = {
    # They meet constants alone: the form of names, and the patterns of our own serializers when the API is described.
    "core/models/custom_field.py": {"NAME_PATTERN.strip('^$')"},
    "core/api/schema_examples.py": {"pattern"},
}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            if name is not None:
                yield name, node


def is_from_client(node: ast.AST) -> bool:
    """Say whether a client's words are in an expression; what a serializer has validated has known names."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "validated":
        return False
    names = {getattr(part, "id", None) or getattr(part, "attr", None) for part in ast.walk(node)}
    return bool(names & FROM_CLIENT)


def keys_from_client(tree: ast.AST) -> list[int]:
    """Return the lines on which keywords of a query are unpacked whose names a client chose."""
    found = []
    for name, call in calls(tree):
        for keyword in call.keywords if name in BY_KEYWORD else ():
            if keyword.arg is not None:
                continue
            is_literal = isinstance(keyword.value, ast.Dict)
            keys = [key for key in keyword.value.keys if key] if is_literal else [keyword.value]
            found += [call.lineno for key in keys if is_from_client(key)]
    return found


def names_from_client(tree: ast.AST) -> list[int]:
    """Return the lines on which a client names columns."""
    return [
        call.lineno
        for name, call in calls(tree)
        if name in BY_NAME
        for argument in call.args
        if is_from_client(argument)
    ]


def sql_past_the_orm(tree: ast.AST) -> list[int]:
    return [call.lineno for name, call in calls(tree) if name in PAST_THE_ORM]


def imported_by(tree: ast.AST) -> list[str]:
    return [
        module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    ]


def unpicklers(tree: ast.AST) -> list[str]:
    return [module for module in imported_by(tree) if module.split(".")[0] in UNPICKLERS]


def http_clients(tree: ast.AST) -> list[str]:
    """Return the modules imported that fetch what a URL names, by whatever part of them is imported."""
    named = {f"{module}." for module in imported_by(tree)} | {
        f"{node.module}.{alias.name}."
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return sorted(client for client in CLIENTS if any(name.startswith(f"{client}.") for name in named))


def made_templates(tree: ast.AST) -> list[str]:
    """Return what makes a template, or markup, of anything but a constant."""
    found = [name for name, _ in calls(tree) if name in TEMPLATES | MARKUP]
    for name, call in calls(tree):
        given = call.args[FORMATS[name] : FORMATS[name] + 1] if name in FORMATS else []
        found += [f"{name}({ast.unparse(each)})" for each in given if not isinstance(each, ast.Constant)]
        if name == "render" and len(call.args) > 1 and ast.unparse(call.args[0]) == "request":
            found += [] if isinstance(call.args[1], ast.Constant) else [ast.unparse(call)]
    return found


def patterns_at_run_time(tree: ast.AST) -> list[str]:
    """Return the patterns given to the backtracking `re` that are no constants."""
    return [
        ast.unparse(call.args[0])
        for name, call in calls(tree)
        if name in {"compile", "search", "match", "fullmatch", "sub", "split", "findall", "finditer"}
        and ast.unparse(getattr(call.func, "value", call.func)) == "re"
        and not isinstance(call.args[0], ast.Constant)
    ]


def regex_lookups(tree: ast.AST) -> list[int]:
    """Return the lines on which the database is given a pattern that is no constant."""
    return [
        call.lineno
        for _, call in calls(tree)
        for keyword in call.keywords
        if (keyword.arg or "").endswith(("__regex", "__iregex"))
        and not (isinstance(keyword.value, ast.Constant) or ast.unparse(keyword.value).isupper())
    ]


def found_by(finder: Callable[[ast.AST], list[Any]]) -> list[str]:
    return [f"{path}: {found}" for path, tree in SOURCES.items() for found in finder(tree)]


@pytest.mark.checklist(43)
def test_no_query_unpacks_keywords_that_a_client_named() -> None:
    assert found_by(keys_from_client) == []


@pytest.mark.checklist(43, 44)
def test_no_client_names_a_column_or_an_alias() -> None:
    assert found_by(names_from_client) == []


@pytest.mark.checklist(42)
def test_no_sql_goes_past_the_orm_unseen() -> None:
    assert found_by(sql_past_the_orm) == []


@pytest.mark.checklist(63)
def test_nothing_that_runs_code_while_reading_is_imported() -> None:
    assert found_by(unpicklers) == []


@pytest.mark.checklist(47)
def test_no_pattern_that_somebody_sent_meets_a_backtracking_engine() -> None:
    met = {path: set(found) for path, tree in SOURCES.items() if (found := patterns_at_run_time(tree))}

    assert met == OWN_PATTERNS
    assert found_by(regex_lookups) == []


@pytest.mark.checklist(62, 64)
def test_templates_get_data_and_no_text_is_taken_for_markup() -> None:
    pages = [path for label in settings.FIRST_PARTY_APPS for path in (ROOT / label).rglob("templates/**/*.*")]

    assert found_by(made_templates) == []
    assert pages
    # Plain text has no markup.
    assert [path for path in pages if path.suffix != ".txt" and UNESCAPED.search(path.read_text())] == []
    assert all("autoescape" not in engine.get("OPTIONS", {}) for engine in settings.TEMPLATES)


@pytest.mark.checklist(59)
def test_nothing_is_fetched_from_where_somebody_points() -> None:
    calling = {path: found for path, tree in SOURCES.items() if (found := http_clients(tree))}

    assert calling == OWN_CALLS, "URLs that users name need a guard that resolves once and refuses private addresses."


@pytest.mark.checklist(52)
def test_every_table_is_written_where_formulas_are_neutralised() -> None:
    writing = {path for path, tree in SOURCES.items() for _, call in calls(tree) if ast.unparse(call.func) in WRITERS}

    assert writing == {TABLES}


@pytest.mark.parametrize(
    ("finder", "line"),
    [
        (made_templates, "Template(body)"),
        (made_templates, "mark_safe(note)"),
        (made_templates, "format_html(f'<b>{name}</b>')"),
        (made_templates, "format_html_join('', row.markup, rows)"),
        (made_templates, "render(request, request.GET['page'])"),
        (http_clients, "from urllib.request import urlopen"),
        (http_clients, "from urllib import request"),
        (http_clients, "from http.client import HTTPSConnection"),
        (keys_from_client, "rows.filter(**request.query_params.dict())"),
        (keys_from_client, "rows.filter(**{name: 1, request.data['field']: 2})"),
        (keys_from_client, "Q(**{f'{self.request.GET[\"by\"]}__in': [1]})"),
        (keys_from_client, "rows.annotate(**serializer.initial_data)"),
        (names_from_client, "rows.order_by(request.GET['ordering'])"),
        (names_from_client, "rows.values(*request.data)"),
        (names_from_client, "F(request.data['column'])"),
        (sql_past_the_orm, "Row.objects.raw('SELECT 1')"),
        (sql_past_the_orm, "rows.extra(where=['1=1'])"),
        (sql_past_the_orm, "RawSQL('1', [])"),
        (unpicklers, "import pickle"),
        (unpicklers, "from dill import loads"),
        (patterns_at_run_time, "re.compile(field.pattern)"),
        (regex_lookups, "rows.filter(name__iregex=wanted)"),
    ],
)
def test_what_is_looked_for_is_found(finder, line: str) -> None:
    assert finder(ast.parse(line))


@pytest.mark.parametrize(
    ("finder", "line"),
    [
        (made_templates, "format_html('<b>{}</b>', name)"),
        (made_templates, "render(request, 'core/docs/redoc.html', {})"),
        (http_clients, "from urllib.parse import urlsplit"),
        (keys_from_client, "rows.filter(**{self.parent_field: self.kwargs['parent']})"),
        (keys_from_client, "rows.filter(name=request.data['name'])"),
        (keys_from_client, "rows.filter(**{'name': request.data['name']})"),
        (keys_from_client, "services.update(row, **self.validated(request.data))"),
        (patterns_at_run_time, "re2.compile(field.pattern)"),
        (regex_lookups, "Q(name__regex=NAME_PATTERN)"),
    ],
)
def test_what_is_sound_is_let_be(finder, line: str) -> None:
    assert not finder(ast.parse(line))


@pytest.mark.checklist(63)
def test_the_cache_holds_json_and_refuses_to_read_anything_else() -> None:
    cache.set("plain", {"a": [1]})
    redis, name = cache.client.get_client(), cache.make_key("plain")

    assert redis.get(name) == b'{"a": [1]}'
    redis.set(name, pickle.dumps({"a": [1]}))
    with pytest.raises(ValueError, match=r"codec|JSON|Expecting"):
        cache.get("plain")
    cache.delete("plain")


@pytest.mark.checklist(63)
def test_a_value_that_is_no_json_is_not_cached() -> None:
    with pytest.raises(TypeError):
        cache.set("object", object())


@pytest.mark.checklist(63)
def test_the_task_queue_takes_json_alone() -> None:
    assert list(app.conf.accept_content) == ["json"]
    assert (app.conf.task_serializer, app.conf.task_ignore_result, app.conf.result_backend) == ("json", True, None)


@pytest.mark.checklist(63)
def test_sessions_are_kept_as_json() -> None:
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
