"""Known devices: what tells the owner of an account from somebody who guesses at it.

Whoever logs in receives a token that names the account and the device and ends with a tag that only we can make. Sent
along with the next log-in it gives the device guesses of its own, so nobody else can use them up. It proves nothing
and opens nothing: the password is asked for all the same. (OWASP calls such tokens device cookies.)
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from datetime import datetime, timedelta
from uuid import UUID

from core.security.encryption import derive

KNOWN_FOR = timedelta(days=180)

ACCOUNT_BYTES, DEVICE_BYTES, TIME_BYTES, TAG_BYTES = 16, 16, 5, 16
LENGTH = ACCOUNT_BYTES + DEVICE_BYTES + TIME_BYTES + TAG_BYTES


def token_of(user_id: UUID, *, device: bytes | None = None, at: datetime) -> str:
    """Return the token by which a device on which `user_id` has just logged in is known again."""
    named = device or secrets.token_bytes(DEVICE_BYTES)
    raw = user_id.bytes + named + int(at.timestamp()).to_bytes(TIME_BYTES, "big")
    return urlsafe_b64encode(raw + _tag(raw)).rstrip(b"=").decode()


def device_of(token: str, user_id: UUID, *, at: datetime) -> bytes | None:
    """Return which device of `user_id` a token names; None when it is none of ours, another's or too old."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"==")
    except (Base64Error, UnicodeEncodeError):
        return None
    said, tag = raw[:-TAG_BYTES], raw[-TAG_BYTES:]
    if len(raw) != LENGTH or not hmac.compare_digest(tag, _tag(said)) or said[:ACCOUNT_BYTES] != user_id.bytes:
        return None
    issued = int.from_bytes(said[-TIME_BYTES:], "big")
    if at.timestamp() - issued > KNOWN_FOR.total_seconds():
        return None
    return said[ACCOUNT_BYTES:-TIME_BYTES]


def _tag(raw: bytes) -> bytes:
    return hmac.digest(derive("known-device"), raw, "sha256")[:TAG_BYTES]
