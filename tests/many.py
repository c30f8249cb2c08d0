"""Tables that hold many rows for a while, so that tests may look at how PostgreSQL finds some of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

PENDING = """
    SELECT gin_clean_pending_list(index.indexrelid)
    FROM pg_index AS index JOIN pg_class ON pg_class.oid = index.indexrelid JOIN pg_am ON pg_am.oid = pg_class.relam
    WHERE pg_am.amname = 'gin' AND index.indrelid = ANY (%s::regclass[])
"""


@contextmanager
def many_rows(blocker: Any, statements: Sequence[str], tables: Sequence[str]) -> Iterator[None]:
    """Keep in `tables` what the statements insert, as an autovacuum would leave it."""
    names = ", ".join(tables)
    with blocker.unblock(), connection.cursor() as cursor:
        # Rows of former tests are gone, and the pages that held them would still count.
        cursor.execute(f"VACUUM (FULL, ANALYZE) {names}")
        with transaction.atomic():
            # The price of a random page on an SSD, as the server's own configuration has it.
            cursor.execute("SET LOCAL random_page_cost = 1.1")
            for statement in statements:
                cursor.execute(statement)
            # Rows just written wait in a list that makes an index look dear.
            cursor.execute(PENDING, [list(tables)])
            cursor.execute(f"ANALYZE {names}")
            connection.check_constraints()  # once, and not after each test
            yield
            transaction.set_rollback(True)
        cursor.execute(f"VACUUM (FULL, ANALYZE) {names}")
