"""The two kinds of token: signed access tokens, and opaque refresh tokens of which only hashes are kept.

A refresh token's successor is derived from it, so that two tabs which refresh with the same token
within the grace period receive the same new one, although nothing but hashes is stored.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

ISSUER = "campushub360"
AUDIENCE = "campushub360-api"
ALGORITHM = "HS256"


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says: whose, of which session, at which version of the account."""

    user_id: UUID
    session_id: UUID
    token_version: int


class InvalidTokenError(Exception):
    """The token is not one of ours, or has expired."""


@cache
def _codec(key: str) -> Any:  # the library types tokens as objects of its own; it takes and gives text
    return TokenBackend(ALGORITHM, signing_key=key, audience=AUDIENCE, issuer=ISSUER)


def issue_access(claims: AccessClaims, *, at: datetime) -> str:
    """Sign an access token that lives for `ACCESS_TOKEN_LIFETIME` from `at`."""
    payload: dict[str, Any] = {
        "typ": "access",
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "ver": claims.token_version,
        "iat": int(at.timestamp()),
        "exp": int((at + settings.ACCESS_TOKEN_LIFETIME).timestamp()),
        "jti": uuid4().hex,
    }
    return str(_codec(settings.JWT_SIGNING_KEY).encode(payload))


def read_access(token: str) -> AccessClaims:
    """Return what a valid access token says; raise `InvalidTokenError` otherwise."""
    try:
        payload = _codec(settings.JWT_SIGNING_KEY).decode(token, verify=True)
        if payload["typ"] != "access":
            raise InvalidTokenError
        return AccessClaims(
            user_id=UUID(payload["sub"]), session_id=UUID(payload["sid"]), token_version=int(payload["ver"])
        )
    except (TokenBackendError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidTokenError from error


def new_refresh() -> str:
    """Return a fresh refresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def successor_of(refresh: str) -> str:
    """Return the one refresh token that may follow `refresh`."""
    digest = hmac.digest(settings.JWT_SIGNING_KEY.encode(), b"refresh-successor:" + refresh.encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(refresh: str) -> bytes:
    """Return what is stored of a refresh token. A fast hash suits a secret of 256 random bits."""
    return hashlib.sha256(refresh.encode(errors="surrogatepass")).digest()
