"""Signatures of webhooks, as the Standard Webhooks specification (1.0.0) has them.

What is signed is `<id>.<timestamp>.<body>`, by HMAC-SHA256 under the secret's bytes; of two good secrets there are two
signatures. Whoever is called compares, refuses times further away than a few minutes, and takes an id once.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable
from uuid import UUID

PREFIX, VERSION, RANDOM_BYTES = "whsec_", "v1", 32


def new_secret() -> str:
    """Return a secret as it is told and stored."""
    return PREFIX + base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode()


def headers_of(message_id: UUID, timestamp: int, body: bytes, signed_with: Iterable[str]) -> dict[str, str]:
    """Return the headers by which a call proves where it comes from; `timestamp` in seconds since 1970."""
    name = f"msg_{message_id.hex}"
    signed = f"{name}.{timestamp}.".encode() + body
    return {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{VERSION},{signature(secret, signed)}" for secret in signed_with),
    }


def signature(secret: str, signed: bytes) -> str:
    """Return the signature of what is signed, in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
