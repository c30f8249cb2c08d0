"""What this process has verified already: a signature is checked once, not with every request.

Nothing here says that a token is good: sessions, accounts and keys are asked about each time. It is
kept under the token's hash, until the token expires, and the least recently used goes first.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

ClaimsT = TypeVar("ClaimsT")


class VerifiedTokens(Generic[ClaimsT]):
    """What tokens with a good signature say, for at most `most` of them."""

    def __init__(self, *, most: int, clock: Callable[[], float] = time.time) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[ClaimsT, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, token: str) -> ClaimsT | None:
        """Return what the token says, or None when it has expired or was not seen lately."""
        name = _name(token)
        with self._lock:
            kept = self._kept.get(name)
            if kept is None:
                return None
            claims, until = kept
            if until <= self._clock():
                del self._kept[name]
                return None
            self._kept.move_to_end(name)
            return claims

    def add(self, token: str, claims: ClaimsT, *, until: float) -> None:
        """Remember what the token says until an instant (seconds since the epoch)."""
        with self._lock:
            self._kept[_name(token)] = (claims, until)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
