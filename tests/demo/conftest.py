"""The demo university, once for each module that asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.demo.seeding import seeded


@pytest.fixture(scope="module")
def university(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Provide the small university of `seed_demo`."""
    with seeded(django_db_blocker):
        yield
