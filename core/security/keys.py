"""The keys as the environment spells them.

`ENCRYPTION_KEYS` is a ring, `id:base64,id:base64`: the first key encrypts, all of them decrypt. Settings read it, so
nothing here needs them.
"""

import base64
import re

KEY_BYTES = 32
# Keys that somebody typed are text; 32 random bytes are so once in 10^13.
PRINTABLE = range(32, 127)
FEWEST_DIFFERENT_BYTES = 10
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")

KeyRing = tuple[tuple[str, bytes], ...]


class UnusableKeyError(ValueError):
    """A key is not what it should be; the message says which and why, and never quotes it."""


def read_key(text: str) -> bytes:
    """Return the 32 bytes that `text` spells in base64, of either alphabet; raise `UnusableKeyError`."""
    standard = text.strip().replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError as error:
        raise UnusableKeyError("is not base64") from error
    if len(key) != KEY_BYTES:
        raise UnusableKeyError(f"has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def read_key_ring(text: str) -> KeyRing:
    """Return the keys that `text` names, in its order; raise `UnusableKeyError`."""
    ring: list[tuple[str, bytes]] = []
    for place, item in enumerate(filter(None, (item.strip() for item in text.split(","))), start=1):
        key_id, colon, spelled = item.partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise UnusableKeyError(f"key {place} is not of the form id:base64")
        try:
            ring.append((key_id, read_key(spelled)))
        except UnusableKeyError as error:
            raise UnusableKeyError(f"key {key_id} {error}") from error
    if not ring:
        raise UnusableKeyError("names no key")
    if len({key_id for key_id, _ in ring}) < len(ring):
        raise UnusableKeyError("gives one id to two keys")
    if len({key for _, key in ring}) < len(ring):
        raise UnusableKeyError("gives one key two ids")
    return tuple(ring)


def is_guessable(key: bytes) -> bool:
    """Say whether a key was typed by somebody instead of drawn at random."""
    return all(byte in PRINTABLE for byte in key) or len(set(key)) < FEWEST_DIFFERENT_BYTES
