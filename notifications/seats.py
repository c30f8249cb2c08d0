"""Where one listener waits for what they are told, while others read it for them."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from accounts.tokens import AccessClaims
from core.streams import has_left
from notifications.places import Place, Told

# Why a stream ends: what its last event says. Whoever has left is told nothing.
SESSION_ENDED, TOKEN_EXPIRED, SERVER_STOPS, UNAVAILABLE = (
    "session_ended", "token_expired", "server_stops", "unavailable",
)  # fmt: skip
LEFT = "left"


class Seat:
    """One listener: how far they are told, what lies ready for them, and why they have to go if they have."""

    def __init__(self, claims: AccessClaims, place: Place, client: Any = None) -> None:
        self.claims, self.place = claims, place
        # What was missed is asked for at once.
        self.is_rung = True
        self._client = client
        self._ended = ""
        self._stirs = threading.Event()
        self._ready: Sequence[tuple[Any, Place]] = ()

    def over(self) -> str:
        """Why this listener has to go, or nothing."""
        return self._ended or (TOKEN_EXPIRED if time.time() >= self.claims.expires else "")

    @property
    def has_left(self) -> bool:
        return has_left(self._client)

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be read for them: not while they have not taken what was."""
        return self.is_rung and not self._ready and not self._ended

    def take(self, seconds: float) -> Sequence[tuple[Any, Place]]:
        """Return what one is told now, or within so many seconds and no later than the token expires.

        Whoever is rung still has to have it read again.
        """
        self._stirs.wait(max(0.0, min(seconds, self.claims.expires - time.time())))
        self._stirs.clear()
        ready = self._ready
        if ready:  # else somebody may just be laying something there
            self._ready = ()
        return ready

    def hand(self, told: Told) -> None:
        """Lay ready what was read, unless the listener has to go."""
        if self._ended:
            return
        self.place = told.place
        if told.goes_on:
            self.is_rung = True
        if told.rows:
            self._ready = told.rows
            self._stirs.set()

    def end(self, why: str) -> None:
        """Let the listener go."""
        self._ended = self._ended or why
        self._stirs.set()
