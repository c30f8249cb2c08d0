"""The demo university for whole modules of tests: made up once, and gone when the module is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import User
from campushub360.demo.university import MAIL
from tests.attendance.factories import usual_codes

# A day in the middle of a term, so that every state of a term occurs but grading.
TODAY = date(2026, 11, 16)


@contextmanager
def seeded(blocker: Any, *, seed: int = 1, scale: str = "small", attendance_months: int = 0) -> Iterator[None]:
    """Run `seed_demo` in a transaction that is never committed; tests inside it roll back to here."""
    with blocker.unblock(), transaction.atomic():
        if attendance_months:
            usual_codes()  # a test before may have emptied every table
        call_command("seed_demo", scale=scale, seed=seed, today=TODAY, attendance_months=attendance_months)
        connection.check_constraints()  # once, rather than at the end of every test
        yield
        transaction.set_rollback(True)


def demo_user(role: str) -> User:
    """Return the demo account of a role."""
    return User.objects.get(email=f"{role}@{MAIL}")
