"""Tokens that a client carries and hands back, and can neither read, make nor change.

AES-256-SIV (RFC 5297) under a key that `SECRET_KEY` gives for a purpose: the same content in the same context is the
same token, so that what it is part of has the same bytes and the same tag each time. All that a token tells is whether
it is the same as another one, and roughly how long its content is.
"""

import base64
from collections.abc import Iterator
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from core.security.encryption import DecryptionError, derive_from


def seal(content: bytes, *, purpose: str, context: str) -> str:
    """Return a URL-safe token of `content`, which must not be empty, good for `context` alone."""
    sealed = _cipher(settings.SECRET_KEY, purpose).encrypt(content, [context.encode()])
    return _text(sealed)


def unseal(token: str, *, purpose: str, context: str) -> bytes:
    """Return the content of a token; raise `DecryptionError` unless `seal` made it for `context`, letter by letter.

    Those of a `SECRET_KEY` that is being replaced are good as long as it stands in `SECRET_KEY_FALLBACKS`.
    """
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise DecryptionError("this is no token") from error
    # Letters that base64 leaves out, and bits of the last one that it does not need, would spell the same token anew.
    if _text(sealed) != token:
        raise DecryptionError("this is no token")
    for cipher in _ciphers(purpose):
        try:
            return cipher.decrypt(sealed, [context.encode()])
        except InvalidTag:
            continue
    raise DecryptionError("the token was changed or belongs elsewhere")


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _ciphers(purpose: str) -> Iterator[AESSIV]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield _cipher(secret, purpose)


@cache
def _cipher(secret: str, purpose: str) -> AESSIV:
    # One half authenticates, the other encrypts.
    return AESSIV(b"".join(derive_from(secret, f"{purpose}:{half}") for half in ("authenticity", "secrecy")))
