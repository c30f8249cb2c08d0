"""The database that is measured: migrated and filled once, kept for the next run; a keeper runs beside it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.test.utils import setup_databases, setup_test_environment, teardown_test_environment

from campushub360.demo.seed import is_empty
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper


@contextmanager
def prepared() -> Iterator[None]:
    """Point the connections at a filled database of the benchmarks' own."""
    setup_test_environment(debug=False)
    try:
        setup_databases(verbosity=0, interactive=False, keepdb=True)
        if is_empty():
            call_command("seed_demo", scale="small", verbosity=0)
        with _kept():
            yield
    finally:
        teardown_test_environment()


@contextmanager
def _kept() -> Iterator[None]:
    keeper = GenerationKeeper(generations())
    keeper.tick()
    keeping = threading.Thread(target=keeper.run)
    keeping.start()
    try:
        yield
    finally:
        keeper.stop()
        keeping.join()
