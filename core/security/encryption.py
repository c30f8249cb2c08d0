"""Encryption at rest: what is stored cannot be read without a key, nor moved to another place.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. A ciphertext begins with the version of this format and the
id of its key, so keys can be changed one row at a time. Its context (table, column, row) is authenticated
with it: a ciphertext copied into another row or column does not decrypt. With random nonces one key is good for 2^32
encryptions; a university that encrypts a million values a day reaches that after eleven years.
"""

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16


class DecryptionError(Exception):
    """A ciphertext is damaged, belongs elsewhere, or was made with a key that is not in the ring."""


def encrypt(plaintext: bytes, *, context: bytes) -> bytes:
    """Return `plaintext` encrypted with the first key of the ring, good in `context` alone."""
    key_id, key = settings.ENCRYPTION_KEYS[0]
    header = header_of(key_id)
    nonce = os.urandom(NONCE_BYTES)
    return header + nonce + _cipher(key).encrypt(nonce, plaintext, header + context)


def decrypt(ciphertext: bytes, *, context: bytes) -> bytes:
    """Return what was encrypted for `context`; raise `DecryptionError` when this is not it."""
    key_id = key_id_of(ciphertext)
    key = dict(settings.ENCRYPTION_KEYS).get(key_id)
    if key is None:
        raise DecryptionError(f"no key of the ring is called {key_id}")
    header = header_of(key_id)
    nonce, sealed = ciphertext[len(header) :][:NONCE_BYTES], ciphertext[len(header) + NONCE_BYTES :]
    try:
        return _cipher(key).decrypt(nonce, sealed, header + context)
    except InvalidTag as error:
        raise DecryptionError("the ciphertext was changed or belongs elsewhere") from error


def key_id_of(ciphertext: bytes) -> str:
    """Return the id of the key that `ciphertext` was made with; raise `DecryptionError` when it is none."""
    if ciphertext[:1] != bytes([VERSION]):
        raise DecryptionError("this is no ciphertext")
    end = 2 + int.from_bytes(ciphertext[1:2], "big")
    if len(ciphertext) < end + NONCE_BYTES + TAG_BYTES:
        raise DecryptionError("the ciphertext was cut short")
    try:
        return ciphertext[2:end].decode("ascii")
    except UnicodeDecodeError as error:
        raise DecryptionError("this is no ciphertext") from error


def header_of(key_id: str) -> bytes:
    """Return what every ciphertext made with the key `key_id` begins with, and no other does."""
    return bytes((VERSION, len(key_id))) + key_id.encode("ascii")


def derive(purpose: str) -> bytes:
    """Return the 32 bytes that `SECRET_KEY` gives for a purpose (HKDF-SHA256, RFC 5869), the same each time.

    Two purposes cannot be told to have the same source. For what may be lost with `SECRET_KEY`, such as the
    successors of refresh tokens, never for data at rest.
    """
    return derive_from(settings.SECRET_KEY, purpose)


@cache
def derive_from(secret: str, purpose: str) -> bytes:
    """Return what `derive` does for another secret, such as one that is being replaced."""
    info = b"campushub360:" + purpose.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())


@cache
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
