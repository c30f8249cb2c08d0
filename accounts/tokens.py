"""The two kinds of token: signed access tokens, and opaque refresh tokens of which only hashes are kept.

An access token is a JWT (RFC 9068) signed with ES256 and nothing else. Its header holds three known
names: a token that brings a key, an address of keys or an extension of its own is refused unread.

A refresh token names its session, holds 256 secret bits and ends with a tag that only we can make.
Its successor is derived from it, so that two tabs which refresh with the same token within the
grace period receive the same new one, although nothing but hashes is stored. The tag tells a token
that was ours once from one that somebody made up: the former coming back is a theft, the latter is
nothing.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from accounts.keyring import ring
from core.cache.local import LocalCache
from core.cache.tags import parts
from core.security.encryption import derive

ISSUER = "campushub360"
AUDIENCE = "campushub360-api"
ALGORITHM = "ES256"
HEADER_TYPE = "at+jwt"
# How far the clocks of our own servers may differ.
LEEWAY = timedelta(seconds=10)
MOST_VERIFIED = 10_000

SESSION_BYTES, SECRET_BYTES, TAG_BYTES = 16, 32, 16


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says: whose, of which session, at which version of the account, and how they logged in.

    `kid` is the key that signed the token it was read from, `expires` the second in which that one expires.
    """

    user_id: UUID
    session_id: UUID
    token_version: int
    amr: tuple[str, ...] = ()
    kid: str = ""
    expires: int = field(default=0, compare=False)

    @cached_property
    def log_in(self) -> str:
        """Whose log-in this is, and by which key it was signed: what the account is looked up by."""
        return f"{self.user_id}/{self.session_id}/{self.kid}"

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of everything that decides whether this is still so."""
        return (*parts("account", self.user_id), "signing-keys")


class InvalidTokenError(Exception):
    """The token is not one of ours, or has expired."""


# What tokens with a good signature say, by their hashes: a signature is checked once. Nothing here says that a token is
# good: whether its session, account and key still are is asked with every request.
verified: LocalCache[bytes, AccessClaims] = LocalCache(most=MOST_VERIFIED)


def sign_access(claims: AccessClaims, *, kid: str, key: EllipticCurvePrivateKey, at: datetime) -> str:
    """Sign an access token that lives for `ACCESS_TOKEN_LIFETIME` from `at`."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": "access",
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "ver": claims.token_version,
        "amr": list(claims.amr),
        "iat": int(at.timestamp()),
        "exp": int((at + settings.ACCESS_TOKEN_LIFETIME).timestamp()),
        "jti": uuid4().hex,
    }
    return jwt.encode(payload, key, algorithm=ALGORITHM, headers={"typ": HEADER_TYPE, "kid": kid})


def read_access(token: str) -> AccessClaims:
    """Return what a valid access token says; raise `InvalidTokenError` otherwise.

    Whether the session, the account and the key are still good is for the database to say.
    """
    name = name_of(token)
    known = verified.get(name)
    if known is not None:
        return known
    try:
        kid = _kid_of(token)
        key = ring.find(kid)
        if key is None:
            raise InvalidTokenError("no key has this id")
        payload = _codec(key).decode(token, verify=True)
        claims = _claims(payload, kid)
    except (TokenBackendError, jwt.InvalidTokenError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidTokenError from error
    verified.add(name, claims, until=claims.expires + LEEWAY.total_seconds())
    return claims


def name_of(token: str) -> bytes:
    """Return what a token is remembered under, which does not tell it."""
    return hashlib.blake2b(token.encode(errors="surrogatepass"), digest_size=32).digest()


def _kid_of(token: str) -> str:
    header = jwt.get_unverified_header(token)
    kid = header.pop("kid", None)
    if header != {"alg": ALGORITHM, "typ": HEADER_TYPE} or not isinstance(kid, str):
        raise InvalidTokenError("the header is none of ours")
    return kid


@lru_cache(maxsize=16)
def _codec(key: str) -> Any:  # the library has no types
    return TokenBackend(ALGORITHM, verifying_key=key, audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY)


def _claims(payload: dict[str, Any], kid: str) -> AccessClaims:
    if payload["typ"] != "access" or not isinstance(payload["iat"], int):
        raise InvalidTokenError("this is another kind of token")
    return AccessClaims(
        user_id=UUID(payload["sub"]),
        session_id=UUID(payload["sid"]),
        token_version=int(payload["ver"]),
        amr=tuple(map(str, payload["amr"])),
        kid=kid,
        expires=int(payload["exp"]),
    )


def new_refresh(session_id: UUID) -> str:
    """Return the first refresh token of a session."""
    return _refresh(session_id.bytes, secrets.token_bytes(SECRET_BYTES))


def successor_of(refresh: str) -> str:
    """Return the one refresh token that may follow `refresh`; raise `InvalidTokenError` when that has not its form."""
    raw = _raw(refresh)
    return _refresh(raw[:SESSION_BYTES], hmac.digest(derive("refresh-successor"), raw, "sha256"))


def session_of(refresh: str) -> UUID:
    """Return the session that a refresh token names; raise `InvalidTokenError` when it has not the form of one."""
    return UUID(bytes=_raw(refresh)[:SESSION_BYTES])


def was_issued(refresh: str) -> bool:
    """Say whether we made this refresh token, however long ago; raise `InvalidTokenError` when it is no such token."""
    raw = _raw(refresh)
    return hmac.compare_digest(raw[-TAG_BYTES:], _tag(raw[:-TAG_BYTES]))


def hash_of(token: str) -> bytes:
    """Return what is kept of a token. A fast hash suits what holds 256 random bits."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _refresh(session: bytes, secret: bytes) -> str:
    raw = session + secret
    return _text(raw + _tag(raw))


def _tag(raw: bytes) -> bytes:
    return hmac.digest(derive("refresh-tag"), raw, "sha256")[:TAG_BYTES]


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(refresh: str) -> bytes:
    try:
        raw = urlsafe_b64decode(refresh.encode("ascii") + b"==")
    except (Base64Error, UnicodeEncodeError) as error:
        raise InvalidTokenError from error
    # One token is written in one way.
    if len(raw) != SESSION_BYTES + SECRET_BYTES + TAG_BYTES or _text(raw) != refresh:
        raise InvalidTokenError("this has not the form of a refresh token")
    return raw
