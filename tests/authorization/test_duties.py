"""Nobody decides about themselves, or about what they asked for, and no service says so in a way of its own."""

import ast

import pytest

from tests.authorization.concerned import CASES
from tests.authorization.duties import Case, Place, places, refused, sources, standing_on
from tests.authorization.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
# Which services ask who it is that acts for another reason than to refuse them.
OTHERWISE = {
    "attendance/services/standing_in.py": "whoever teaches the section proposes for themselves",
    "attendance/services/substituting.py": "whoever teaches the session, or was asked, and nobody else",
    "attendance/services/decision_runs.py": "leaves out the sections that whoever asks is enrolled in",
    "attendance/services/importing.py": "whose sheets have to be read",
    "attendance/services/check_ins.py": "whoever checks in does so for themselves",
    "interop/services/exporting.py": "whoever asked for a table fetches it, and nobody else",
    "privacy/services/exports.py": "one's own data are asked for without a reason",
    "privacy/services/erasures.py": "one's own erasure is asked for without a reason",
}


@pytest.mark.checklist(13)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_whoever_is_concerned_is_refused(case: Case, world: World) -> None:
    assert refused(case, world)


@pytest.mark.checklist(13)
@pytest.mark.parametrize("place", places(), ids=str)
def test_somebody_is_refused_at_every_place_that_says_so(place: Place, world: World) -> None:
    assert list(standing_on(place, CASES, world)), "Add a case to tests/authorization/concerned.py."


def test_no_service_has_a_way_of_its_own_to_say_so() -> None:
    found = {path for path, tree in sources() if "/services/" in path and any(map(asks_who_acts, ast.walk(tree)))}

    assert found == OTHERWISE.keys()


def asks_who_acts(node: ast.AST) -> bool:
    """Say whether a piece of code looks up which person acts, or compares which account does."""
    if isinstance(node, ast.Compare):
        return "by.pk" in map(ast.unparse, (node.left, *node.comparators))
    return isinstance(node, ast.Attribute | ast.Call) and ast.unparse(node) in (
        "by.person_id", "getattr(by, 'person_id', None)",
    )  # fmt: skip
