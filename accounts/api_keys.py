"""What an API key looks like, and what one may be good for.

A key is `chk_<prefix>_<secret>`: the prefix finds it and may be told, the secret has 256 random bits and is kept as a
hash alone. A fast hash suits a secret that nobody can guess (ASVS 6.5.2).
"""

import hashlib
import re
import secrets
from functools import cache
from string import ascii_lowercase

from accounts.roles import Role, permissions_of

ALPHABET = ascii_lowercase + "234567"
PREFIX_LENGTH, SECRET_BYTES = 8, 32
# One key is written in one way: nothing but these characters, and no more of them.
_KEY = re.compile(r"chk_([a-z2-7]{8})_[A-Za-z0-9_-]{43}")

# Accounts, roles, keys, sessions, identity numbers and what becomes of personal data are for who has logged in.
APART = ("accounts.", "privacy.")
READ_ALL_THE_SAME = frozenset(f"accounts.view_{model}" for model in ("user", "person", "roleassignment"))


def new_key() -> tuple[str, str]:
    """Return a key and its prefix."""
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LENGTH))
    return f"chk_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}", prefix


def prefix_of(text: str) -> str | None:
    """Return the prefix of what was sent as a key; None when it has not the form of one."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def hash_of(key: str) -> bytes:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


@cache
def permissions_for_keys() -> frozenset[str]:
    """Return the permissions that a key may have, if its account does."""
    everything = permissions_of(Role.SYSTEM_ADMIN)
    return frozenset(name for name in everything if not name.startswith(APART) or name in READ_ALL_THE_SAME)
