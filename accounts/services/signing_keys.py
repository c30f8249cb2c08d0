"""The life of the keys that sign access tokens: next, active, retiring, gone.

There is always a next key, published long before it signs, so that every verifier knows it by then;
and a key that signs no more is believed until the last token that it signed has expired.
"""

import logging
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

import orjson
from cryptography.hazmat.primitives import serialization as encoding
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from jwt.algorithms import ECAlgorithm

from accounts import tokens
from accounts.keyring import ring
from accounts.models import KeyState, SigningKey
from audit.services import record
from core.db.locks import lock_named
from core.errors import ConflictError, MissingError
from core.ids import new_id
from core.security.encryption import decrypt, encrypt

logger = logging.getLogger(__name__)

# A process that read which key is active may sign with it a moment after it has been replaced.
SIGNING_TAKES = timedelta(minutes=1)


class NextKeyTooYoungError(ConflictError):
    """Somebody may still hold a copy of the published keys that lacks the next one."""

    code = "next_key_too_young"
    title = "The next key was published too recently to sign."


class NoSuchKeyError(MissingError):
    """No key that is still trusted has this id."""

    code = "signing_key_not_found"
    title = "No key that is still trusted has this id."


def issue_access(claims: tokens.AccessClaims, *, at: datetime) -> str:
    """Sign an access token with the key that is active now; the first one is made on demand."""
    row = SigningKey.objects.filter(state=KeyState.ACTIVE).first() or _first_key(at)
    ring.add(row.kid, row.public_key)
    return tokens.sign_access(claims, kid=row.kid, key=_private(bytes(row.private_key or b""), row.context), at=at)


@transaction.atomic
def rotate_signing_key(*, at: datetime) -> SigningKey:
    """Let the next key sign from now on, publish another, and let go of those whose tokens have all expired.

    Returns the key that is active now. Raises `NextKeyTooYoungError` until the next key has been published for as long
    as others may keep a copy of the published keys (`JWKS_MAX_AGE`).
    """
    _lock()
    _let_go(at)
    active = SigningKey.objects.filter(state=KeyState.ACTIVE).first()
    if active is None:
        return _first_pair(at)
    published_at = SigningKey.objects.get(state=KeyState.NEXT).published_at
    if at - published_at < settings.JWKS_MAX_AGE:
        raise NextKeyTooYoungError(f"It was published at {published_at:%H:%M:%S} UTC; wait {settings.JWKS_MAX_AGE}.")
    _retire(active, KeyState.RETIRING, at)
    key = _promote(at)
    record(action="signing_key.rotated", subject=key, detail={"kid": key.kid})
    return key


@transaction.atomic
def revoke_signing_key(*, kid: str, at: datetime) -> None:
    """Stop believing a key at once, whatever it has signed; another takes its place.

    Raises `NoSuchKeyError`.
    """
    _lock()
    key = SigningKey.objects.trusted().filter(kid=kid).first()
    if key is None:
        raise NoSuchKeyError
    was = key.state
    _retire(key, KeyState.GONE, at)
    if was == KeyState.ACTIVE:
        _promote(at)
    elif was == KeyState.NEXT:
        _make(KeyState.NEXT, at)
    record(action="signing_key.revoked", subject=key, detail={"kid": kid, "was": str(was)})
    logger.warning("signing_key.revoked", extra={"kid": kid, "was": was})


@transaction.atomic
def _first_key(at: datetime) -> SigningKey:
    _lock()
    return SigningKey.objects.filter(state=KeyState.ACTIVE).first() or _first_pair(at)


def _first_pair(at: datetime) -> SigningKey:
    active = _make(KeyState.ACTIVE, at)
    _make(KeyState.NEXT, at)
    return active


def _promote(at: datetime) -> SigningKey:
    """Let the next key sign, and publish another."""
    key = SigningKey.objects.get(state=KeyState.NEXT)
    key.state, key.activated_at = KeyState.ACTIVE, at
    key.save(update_fields=["state", "activated_at", "updated_at"])
    _make(KeyState.NEXT, at)
    logger.info("signing_key.active", extra={"kid": key.kid})
    return key


def _retire(key: SigningKey, state: KeyState, at: datetime) -> None:
    key.state, key.private_key, key.retired_at = state, None, at
    key.save(update_fields=["state", "private_key", "retired_at", "updated_at"])


def _let_go(at: datetime) -> None:
    over = at - settings.ACCESS_TOKEN_LIFETIME - tokens.LEEWAY - SIGNING_TAKES
    SigningKey.objects.filter(state=KeyState.RETIRING, retired_at__lt=over).update(state=KeyState.GONE)


def _make(state: KeyState, at: datetime) -> SigningKey:
    pair = ec.generate_private_key(ec.SECP256R1())
    kid = _thumbprint(pair.public_key())
    if kid.startswith("-"):  # the command line would take it for an option
        return _make(state, at)
    public = pair.public_key()
    key = SigningKey(
        id=new_id(),
        kid=kid,
        state=state,
        public_key=public.public_bytes(encoding.Encoding.PEM, encoding.PublicFormat.SubjectPublicKeyInfo).decode(),
        published_at=at,
        activated_at=at if state == KeyState.ACTIVE else None,
    )
    secret = pair.private_bytes(encoding.Encoding.DER, encoding.PrivateFormat.PKCS8, encoding.NoEncryption())
    key.private_key = encrypt(secret, context=key.context)
    key.save(force_insert=True)
    return key


def _thumbprint(public: ec.EllipticCurvePublicKey) -> str:
    """Return the thumbprint of a public key (RFC 7638)."""
    jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    needed = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return urlsafe_b64encode(sha256(orjson.dumps(needed, option=orjson.OPT_SORT_KEYS)).digest()).rstrip(b"=").decode()


@lru_cache(maxsize=4)
def _private(ciphertext: bytes, context: bytes) -> ec.EllipticCurvePrivateKey:
    key = encoding.load_der_private_key(decrypt(ciphertext, context=context), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a signing key is on an elliptic curve")
    return key


def _lock() -> None:
    lock_named("accounts", "signing-keys")
