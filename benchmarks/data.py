"""The database that is measured: migrated and filled once, and kept for the next run.

Run as a process of the product, it prints how much there is.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.core.management import call_command
from django.test.utils import setup_databases, setup_test_environment, teardown_test_environment


@contextmanager
def prepared(scale: str) -> Iterator[None]:
    """Point the connections at a database of the benchmarks' own, filled with demo data of this scale."""
    from campushub360.demo.seed import is_empty

    setup_test_environment(debug=False)
    try:
        # Nothing is put back as it was before, so nothing of it has to be kept in memory.
        setup_databases(verbosity=0, interactive=False, keepdb=True, serialized_aliases=())
        if is_empty():
            call_command("seed_demo", scale=scale, verbosity=0)
        yield
    finally:
        teardown_test_environment()


@contextmanager
def kept() -> Iterator[None]:
    """Run a keeper beside what this process measures of itself: without one nothing remembered is used."""
    from core.cache.generations import generations
    from core.cache.keeper import GenerationKeeper

    keeper = GenerationKeeper(generations())
    keeper.tick()
    keeping = threading.Thread(target=keeper.run)
    keeping.start()
    try:
        yield
    finally:
        keeper.stop()
        keeping.join()


def described(scale: str = "") -> dict[str, Any]:
    """Return how much there is in the database."""
    from courses.models import Section
    from enrollment.models import Enrollment
    from students.models import Student

    rows = {"students": Student.objects.count(), "enrolments": Enrollment.objects.count()}
    return {"scale": scale or "of the stack", **rows, "sections": Section.objects.count()}


if __name__ == "__main__":
    django.setup()
    json.dump(described(), sys.stdout)
