"""What an import linter cannot see: who writes whose rows, and what core may speak of."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
WRITES = {"create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "update", "delete", "save"}
NOUNS = re.compile(
    r"\b(student|faculty|course|section|enrol|department|campus\b|semester|syllabus|professor|lecture|gradebook)",
    re.IGNORECASE,
)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def imported_models(tree: ast.AST, *, besides: set[str]) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and ".models" in f".{node.module or ''}"
        if (node.module or "").split(".")[0] not in besides
        for alias in node.names
    }


def writes_of(tree: ast.AST, models: set[str]) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and models & {name.id for name in ast.walk(node.func) if isinstance(name, ast.Name)}
    ]


def test_apps_write_only_their_own_rows():
    found = []
    for path in sources(*settings.FIRST_PARTY_APPS):
        app = path.relative_to(ROOT).parts[0]
        tree = ast.parse(path.read_text())
        foreign = imported_models(tree, besides={app, "core", "django"})
        found += [f"{path.relative_to(ROOT)}:{call.lineno}" for call in writes_of(tree, foreign)]

    assert found == []


def test_rows_are_written_by_services_alone():
    """Views, admin pages, tasks and commands call services; core's own machinery keeps core's own rows."""
    found = []
    for path in sources(*[app for app in settings.FIRST_PARTY_APPS if app != "core"]):
        parts = path.relative_to(ROOT).parts
        if "services" in parts or parts[-1] == "services.py":
            continue
        tree = ast.parse(path.read_text())
        models = imported_models(tree, besides={"django", "core"})
        found += [f"{path.relative_to(ROOT)}:{call.lineno}" for call in writes_of(tree, models)]

    assert found == []


@pytest.mark.parametrize("path", list(sources("core")), ids=lambda path: str(path.relative_to(ROOT)))
def test_core_names_no_noun_of_the_university(path):
    # Examples in docstrings may name a model, as "students.student" does.
    code = ast.unparse(_without_docstrings(ast.parse(path.read_text())))

    assert NOUNS.findall(code) == []


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0] = ast.Pass()
    return tree


def test_the_environment_is_read_in_the_settings_alone():
    found = [
        str(path.relative_to(ROOT))
        for path in sources(*settings.FIRST_PARTY_APPS)
        if "settings" not in path.parts
        and "local" not in path.parts
        and path.name not in ("gunicorn.py", "wsgi.py", "celery.py")
        if re.search(r"os\.(environ|getenv)", path.read_text())
    ]

    assert found == []
