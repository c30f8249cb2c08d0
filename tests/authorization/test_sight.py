"""The rules of sight, asked as they are."""

import pytest

from tests.authorization.sight import CASES, Case, faults
from tests.authorization.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.checklist(1, 4)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_rows_in_sight_are_those_that_are_expected(case: Case, world: World) -> None:
    assert list(faults(case, world)) == []
