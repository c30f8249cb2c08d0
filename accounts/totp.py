"""Time-based one-time passwords (RFC 6238), as every authenticator app computes them.

Six digits of HMAC-SHA1 over the number of the half minute. A code counts in its own half minute and in the ones
beside it, for clocks that differ and people who type slowly (RFC 6238, 5.2). Which of these a code is of is what the
caller remembers, so that none opens anything twice.
"""

from base64 import b32decode, b32encode
from datetime import datetime
from hmac import compare_digest
from secrets import token_bytes

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
STEPS_BESIDE = 1


def new_secret() -> str:
    """Return a secret of 160 bits as apps take it: in base 32."""
    return b32encode(token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of a step, which is the number of half minutes since 1970."""
    return _generator(secret).generate(step * STEP_SECONDS).decode()


def step_at(at: datetime) -> int:
    """Return the step that an instant lies in."""
    return int(at.timestamp()) // STEP_SECONDS


def step_of(secret: str, code: str, *, at: datetime) -> int | None:
    """Return the step that a code is of, if that is now or beside now."""
    now = step_at(at)
    steps = range(now - STEPS_BESIDE, now + STEPS_BESIDE + 1)
    found = [step for step in steps if compare_digest(code_at(secret, step).encode(), code.encode())]
    return found[0] if found else None


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the `otpauth://` address that an app reads from a QR code."""
    # Apps show a plus sign as it stands.
    return _generator(secret).get_provisioning_uri(account, issuer).replace("+", "%20")


def _generator(secret: str) -> TOTP:
    # Apps know no other digest than SHA-1, which is none the weaker for this (RFC 6238, B.1).
    return TOTP(b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 # nosec B303
