"""The public keys that this process verifies access tokens with.

A key never changes, so one that is known stays known; whether it is still trusted is asked with the
session that a token names. A key that is not known is looked for in the database, at most once a
second: whoever sends made-up key ids does not make the database work for each. That suffices
because a key is published long before it signs.
"""

import threading
import time
from collections.abc import Callable

from accounts.models import SigningKey

PATIENCE_SECONDS = 1.0


class KeyRing:
    """Public keys in PEM, by their ids."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, str] = {}
        self._asked_at = float("-inf")

    def find(self, kid: str) -> str | None:
        """Return the key, or None when there is none of this id."""
        return self._keys.get(kid) or self._ask_for(kid)

    def add(self, kid: str, key: str) -> None:
        """Take note of a key that this process has just signed with."""
        if kid not in self._keys:
            self._keys = {**self._keys, kid: key}

    def _ask_for(self, kid: str) -> str | None:
        # Those who come while one asks wait for the answer: a process that has just started turns nobody away.
        with self._lock:
            now = self._clock()
            if kid not in self._keys and now - self._asked_at >= PATIENCE_SECONDS:
                self._keys = dict(SigningKey.objects.trusted().values_list("kid", "public_key"))
                self._asked_at = now
            return self._keys.get(kid)


ring = KeyRing()
