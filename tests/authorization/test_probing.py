"""Questions that would make a list tell what its answers hide."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Model

from tests.authorization import matrix
from tests.authorization.matrix import Operation
from tests.authorization.world import OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

LISTS = [op for op in matrix.operations() if op.method == "GET" and op.route.lists]
LOOKUPS = ("", "__startswith", "__isnull")
AT_ONCE = 15


def columns(model: type[Model], depth: int = 2, prefix: str = "") -> Iterator[str]:
    """Yield the path of every column of a model and of those it refers to."""
    for field in model._meta.fields:
        yield prefix + field.name
        if field.related_model is not None and depth:
            yield from columns(field.related_model, depth - 1, f"{prefix}{field.name}__")


def errors(world: World, op: Operation, query: str) -> dict[str, Any]:
    answer = world.clients["system_admin"].get(op.route.url(**parents(world, op)) + query)
    return {"status": answer.status_code, "fields": {e["field"] for e in answer.json().get("errors", [])}}


def parents(world: World, op: Operation) -> dict[str, Any]:
    return {"parent": world.row(op.subject, OWN).pk} if op.route.names else {}


@pytest.mark.checklist(5)
@pytest.mark.parametrize("op", LISTS, ids=str)
def test_no_column_is_a_filter_unless_it_is_declared(op: Operation, world: World) -> None:
    filters = getattr(op.route.view, "filterset_class", None)
    declared = set(filters.base_filters) if filters else set()
    paths = [path + lookup for path in columns(op.route.model) for lookup in LOOKUPS]
    asked = [path for path in paths if path not in declared and path not in ("search", "ordering", "fields", "include")]

    for start in range(0, len(asked), AT_ONCE):
        names = asked[start : start + AT_ONCE]
        found = errors(world, op, "?" + "&".join(f"{name}=1" for name in names))
        assert found == {"status": 400, "fields": set(names)}


@pytest.mark.checklist(5)
@pytest.mark.parametrize("op", LISTS, ids=str)
def test_no_column_is_an_ordering_unless_it_is_declared(op: Operation, world: World) -> None:
    for path in columns(op.route.model, depth=1):
        if path not in op.route.view.ordering_fields:
            assert errors(world, op, f"?ordering=-{path}") == {"status": 400, "fields": {"ordering"}}, path


@pytest.mark.checklist(5, 85)
@pytest.mark.parametrize("op", [op for op in LISTS if op.route.view.searchable], ids=str)
def test_no_protected_value_is_found_by_searching(op: Operation, world: World) -> None:
    for secret in ("5550100", "2004-05-06", "female", "PA-778899", "778899", "Bombay"):
        answer = world.clients["finance_officer"].get(op.route.url(**parents(world, op)), {"search": secret})
        assert not answer.json().get("data"), f"{op} finds {secret}"
