"""The database that is measured: migrated and filled once, kept for the next run."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.test.utils import setup_databases, setup_test_environment, teardown_test_environment

from campushub360.demo.seed import is_empty


@contextmanager
def prepared() -> Iterator[None]:
    """Point the connections at a filled database of the benchmarks' own."""
    setup_test_environment(debug=False)
    try:
        setup_databases(verbosity=0, interactive=False, keepdb=True)
        if is_empty():
            call_command("seed_demo", scale="small", verbosity=0)
        yield
    finally:
        teardown_test_environment()
