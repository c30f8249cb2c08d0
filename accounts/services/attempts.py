"""What goes on record of people who try to get in: everything, but for floods, since that log is never deleted.

Addresses are made up at no cost. Of those without an account a caller leaves twenty lines at once and one in a minute,
and all callers together no more than an alarm about a storm of failures needs, and so does each account. Whether there
is an account or not stays unsaid by the time it takes: where no line is written, something as small is, in one of a few
places.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import User
from audit.services import record
from core.ids import new_id
from core.provenance import origin
from core.security.addresses import caller_of, read_address
from core.security.limiter import Demand, Limit, limiter

STRANGER = Limit("attempts_of_strangers", quota=1, seconds=60, burst=20, outage=1)
# `ALERT_FAILED` counts lines of an hour: 500 of them, unless somebody says otherwise.
STRANGERS_TOGETHER = Limit("attempts_of_all_strangers", quota=50, seconds=600, burst=500, outage=50)
ACCOUNT = Limit("attempts_at_account", quota=50, seconds=600, burst=500, outage=50)
# Few enough to be nothing, and enough that those who come at one time seldom wait for each other.
PLACES = 64

_NOTE = """
    INSERT INTO accounts_guesscount AS noted (id, subject, guesses, counted_at, locked_until)
    VALUES (%(id)s, %(subject)s, 1, %(at)s, %(at)s)
    ON CONFLICT (subject) DO UPDATE SET guesses = least(noted.guesses, 1000000000) + 1, counted_at = %(at)s
"""


def record_attempt(*, action: str, user: User | None, detail: Mapping[str, Any] | None = None, at: datetime) -> None:
    """Put an attempt on record, at an account or at none; one of a flood leaves no line, and costs as much."""
    if limiter().spend(_demands(user)).is_admitted:
        record(action=action, subject=user, detail=detail)
    else:
        _note_unrecorded(at)


def _demands(user: User | None) -> list[Demand]:
    if user is not None:
        return [Demand(ACCOUNT, str(user.pk))]
    address = origin().address
    caller = caller_of(read_address(address) if address else None)
    return [Demand(STRANGER, caller), Demand(STRANGERS_TOGETHER, "all")]


def _note_unrecorded(at: datetime) -> None:
    """Count one attempt that left no line, among the counts of guesses; no guess has so short a subject."""
    subject = f"unrecorded {secrets.randbelow(PLACES)}".encode()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"id": new_id(), "subject": subject, "at": at})
