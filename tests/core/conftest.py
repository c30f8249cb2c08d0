"""A table large enough that PostgreSQL prefers its indexes, if it has any for the question."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

PARENTS = """
    INSERT INTO testapp_parent (id, code, name)
    SELECT gen_random_uuid(), 'P' || n,
           (ARRAY['Physics', 'History', 'Mathematics', 'Chemistry'])[1 + n %% 4] || ' ' || md5(n::text)
    FROM generate_series(1, 20000) n
"""
ITEMS = """
    INSERT INTO testapp_item (id, parent_id, name, flag, kind, rank, created_at, custom_data)
    SELECT gen_random_uuid(), parent.id,
           (ARRAY['Ada', 'Björn', 'Chloé', 'Michael'])[1 + n %% 4] || ' ' || md5(n::text) || ' ' || n,
           false, 'plain', CASE WHEN n %% 3 > 0 THEN n %% 5000 END, now() - n * interval '1 second',
           jsonb_build_object('badge', 'b' || n, 'secret', 'hush' || n)
    FROM generate_series(1, 25000) n JOIN testapp_parent parent ON parent.code = 'P' || 1 + n %% 20000
"""
WORD_INDEXES = [
    "testapp_parent_words",
    "testapp_parent_trigrams",
    "testapp_item_words",
    "testapp_item_trigrams",
    "testapp_item_custom_words",
]


@pytest.fixture(scope="class")
def many_items(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep 25,000 items of 20,000 parents during the tests of a class."""
    with django_db_blocker.unblock(), transaction.atomic():
        with connection.cursor() as cursor:
            for statement in (PARENTS, ITEMS):
                cursor.execute(statement, [])
            # What a vacuum would do later: new rows wait in a list that makes an index look dear.
            for index in WORD_INDEXES:
                cursor.execute("SELECT gin_clean_pending_list(%s)", [index])
            cursor.execute("ANALYZE testapp_parent, testapp_item")
        yield
        transaction.set_rollback(True)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_parent, testapp_item")
