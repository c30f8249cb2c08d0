"""A table large enough that PostgreSQL prefers its indexes, if it has any for the question."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin

from tests.many import many_rows

PARENTS = """
    INSERT INTO testapp_parent (id, code, name)
    SELECT gen_random_uuid(), 'P' || n,
           (ARRAY['Physics', 'History', 'Mathematics', 'Chemistry'])[1 + n % 4] || ' ' || md5(n::text)
    FROM generate_series(1, 20000) n
"""
ITEMS = """
    INSERT INTO testapp_item (id, parent_id, name, flag, kind, rank, created_at, custom_data)
    SELECT gen_random_uuid(), parent.id,
           (ARRAY['Ada', 'Björn', 'Chloé', 'Michael'])[1 + n % 4] || ' ' || md5(n::text) || ' ' || n,
           false, 'plain', CASE WHEN n % 3 > 0 THEN n % 5000 END, now() - n * interval '1 second',
           jsonb_build_object('badge', 'b' || n, 'secret', 'hush' || n)
    FROM generate_series(1, 25000) n JOIN testapp_parent parent ON parent.code = 'P' || 1 + n % 20000
"""


@pytest.fixture(scope="class")
def many_items(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep 25,000 items of 20,000 parents during the tests of a class."""
    with many_rows(django_db_blocker, [PARENTS, ITEMS], ["testapp_parent", "testapp_item"]):
        yield


@pytest.fixture
def no_sidebar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of the administration's pages the list of all kinds, which each has and which takes longest to make."""
    monkeypatch.setattr(admin.site, "enable_nav_sidebar", False)
