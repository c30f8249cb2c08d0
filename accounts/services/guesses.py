"""Counting guesses at passwords, so that nobody gets many.

A guess is counted before it is looked at, in one statement of the database: however many arrive at once, no more than
`FREE` of them are. From then on there is one after a minute, and each wrong one doubles the wait up to a day and a
half. What is counted is an account, whether there is one or not, or a device that its owner has logged in on before;
a right guess forgets the count.
"""

import hmac
import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.events import LockoutsPiledUp, LogInLocked
from accounts.models import GuessCount, User
from accounts.services.attempts import record_attempt
from audit.services import record
from core.db.purging import purge
from core.events import publish
from core.ids import new_id
from core.security.encryption import derive
from core.security.limiter import Demand, Limit, limiter

FREE = 5
MOST_DOUBLINGS = 11
# NIST SP 800-63B-4 allows 100 guesses in a row at most; at one in a day and a half that is reached after months.
FORGOTTEN_AFTER = timedelta(days=60)
# So many accounts locked at one time are no coincidence; it is said once in ten minutes.
MANY_LOCKED = 20
SAID_ONCE = Limit("lockouts", quota=1, seconds=600, burst=1, outage=1)

_RESERVE = """
    INSERT INTO accounts_guesscount AS counted (id, subject, guesses, counted_at, locked_until)
    VALUES (%(id)s, %(subject)s, 1, %(at)s, %(at)s)
    ON CONFLICT (subject) DO UPDATE SET
        guesses = CASE WHEN counted.counted_at < %(forgotten)s THEN 1 ELSE counted.guesses + 1 END,
        counted_at = %(at)s,
        locked_until = CASE
            WHEN counted.counted_at < %(forgotten)s OR counted.guesses + 1 < %(free)s THEN %(at)s
            ELSE %(at)s + interval '1 minute' * power(2, least(counted.guesses + 1 - %(free)s, %(doublings)s))
        END
    WHERE counted.locked_until <= %(at)s
    RETURNING guesses
"""

logger = logging.getLogger(__name__)


def subject_of(kind: str, name: bytes) -> bytes:
    """Return what the guesses at something are counted under."""
    return hmac.digest(derive("guesses"), kind.encode() + b":" + name, "sha256")


def reserve_guess(subject: bytes, *, at: datetime) -> int | None:
    """Count a guess before it is made and return how many there were; None when none may be made now.

    Call it outside a transaction: a guess stays counted whatever becomes of it.
    """
    values: dict[str, Any] = {
        "id": new_id(),
        "subject": subject,
        "at": at,
        "forgotten": at - FORGOTTEN_AFTER,
        "free": FREE,
        "doublings": MOST_DOUBLINGS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, values)
        row = cursor.fetchone()
    return int(row[0]) if row else None


def forget_guesses(*subjects: bytes) -> None:
    """Begin to count anew: somebody has shown to be the owner."""
    GuessCount.objects.filter(subject__in=subjects).delete()


@transaction.atomic
def announce_lock(user: User | None, *, at: datetime) -> None:
    """Announce that the last free guess at an account was wrong, and when that happens to many, that it does."""
    publish(LogInLocked(user_id=user.pk if user else None, happened_at=at))
    record_attempt(action="login.locked", user=user, at=at)
    locked = GuessCount.objects.locked(at).count()
    if locked >= MANY_LOCKED and limiter().spend([Demand(SAID_ONCE, "all")]).is_admitted:
        publish(LockoutsPiledUp(locked=locked, happened_at=at))
        record(action="login.lockouts_piled_up", detail={"locked": locked})
        logger.warning("login.lockouts_piled_up", extra={"locked": locked})


def purge_guess_counts(*, at: datetime, batch: int = 5000) -> int:
    """Forget counts that nothing was added to for `FORGOTTEN_AFTER`, in small transactions; return how many.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(GuessCount.objects.filter(counted_at__lt=at - FORGOTTEN_AFTER), order="counted_at", batch=batch)
