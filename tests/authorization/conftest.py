"""The world of the matrix, built once for all modules here."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.authorization.world import World, built


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Provide the world; requests are undone one by one."""
    with built(django_db_blocker) as world:
        yield world
