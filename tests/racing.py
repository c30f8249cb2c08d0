"""Several connections at one time, for tests of what happens when people are equally quick."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction

from core.errors import DomainError

Act = Callable[[], Any]
PATIENCE = 60


def outcome_of(act: Act) -> Any:
    """Return what an act returns, or the code of its refusal, and leave no connection behind."""
    try:
        return act()
    except DomainError as refused:
        return refused.error_code
    finally:
        connection.close()


def at_once(*acts: Act) -> list[Any]:
    """Run every act in a thread of its own, all starting together; return results and the codes of refusals."""
    start = threading.Barrier(len(acts))

    def started(act: Act) -> Act:
        return lambda: (start.wait(timeout=PATIENCE), act())[1]

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(outcome_of, map(started, acts)))


def while_uncommitted(first: Act, second: Act, then: Act = lambda: None) -> Any:
    """Let `second` begin after `first` was done and before it is committed, and return what came of it.

    `then` is what the first transaction does once the second waits. Fails when that waits for nothing.
    """
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(outcome_of, second)
            wait_until_somebody_waits()
            then()
            assert not waiting.done()
        return waiting.result(timeout=PATIENCE)


def wait_until_somebody_waits() -> None:
    """Return as soon as another connection to this database waits for a lock."""
    waiting = """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE datname = current_database() AND NOT granted
    """
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            # A transaction keeps what it first saw of the others, and knows of nobody who has connected since.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
