"""The codes that are shown while students check in: signed, and worth nothing fifteen seconds later.

    token = session . slice . HMAC-SHA256(secret of the window, session . slice), cut to 128 bits

A slice is ten seconds of the clock; its token is taken during these and five seconds longer, for whoever aimed their
camera at the last moment. Whoever has a token can tell neither the secret nor any other token.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

SLICE = timedelta(seconds=10)
GRACE = timedelta(seconds=5)
MAC_BYTES = 16
PARTS = 3
# Until the year 5138; what is longer was not shown by anybody.
MOST_DIGITS = 10


@dataclass(frozen=True)
class Shown:
    """A token, from when until when it is to be shown."""

    token: str
    starts_at: datetime
    ends_at: datetime


def shown(secret: str, session: UUID, *, at: datetime) -> Shown:
    """Return the token of the slice in which an instant lies."""
    number = _slice_at(at)
    starts_at = datetime.fromtimestamp(number * SLICE.seconds, UTC)
    return Shown(f"{session.hex}.{number}.{_mac(secret, session, number)}", starts_at, starts_at + SLICE)


def slice_of(token: str, secret: str, session: UUID) -> int | None:
    """Return the slice of a token of a session; None of one that was not signed for it with this secret."""
    parts = token.split(".")
    if not token.isascii() or len(parts) != PARTS or not parts[1].isdecimal() or len(parts[1]) > MOST_DIGITS:
        return None
    number = int(parts[1])
    expected = f"{session.hex}.{number}.{_mac(secret, session, number)}"
    return number if hmac.compare_digest(expected.encode(), token.encode()) else None


def is_early(number: int, *, at: datetime) -> bool:
    """Say whether the slice of a token is still to come."""
    return number > _slice_at(at)


def is_over(number: int, *, at: datetime) -> bool:
    """Say whether a token is taken no more."""
    return number < _slice_at(at - GRACE)


def _slice_at(at: datetime) -> int:
    return int(at.timestamp()) // SLICE.seconds


def _mac(secret: str, session: UUID, number: int) -> str:
    digest = hmac.digest(secret.encode(), f"{session.hex}.{number}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:MAC_BYTES]).rstrip(b"=").decode()
