"""Locks that somebody else holds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from core.db.locks import hold_named


@contextmanager
def held_elsewhere(namespace: str, name: str) -> Iterator[None]:
    """Hold a name in a transaction of another connection."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                hold_named(namespace, name)
                held.set()
                release.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        yield
    finally:
        release.set()
        thread.join()
