"""The kinds of hashes that the passwords of open accounts are stored as.

A kind is an algorithm with its work factors, which is what a hash of it costs. Which there are is asked once in ten
minutes in each process; one that turns up in between is noted as it does.
"""

import copy
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.contrib.auth.hashers import (
    BasePasswordHasher,
    get_hasher,
    get_hashers_by_algorithm,
    identify_hasher,
    is_password_usable,
)
from django.db import connection

ASKED_EVERY_SECONDS = 600.0
# What a stored hash says of its cost, by what its hasher calls that.
WORK = {
    "work_factor": "rounds",
    "iterations": "iterations",
    "time_cost": "time_cost",
    "memory_cost": "memory_cost",
    "parallelism": "parallelism",
}

# One hash of each beginning, up to the salt. Those of accounts that nobody may log in to are never compared.
_ONE_OF_EACH = r"""
    SELECT min(password) FROM accounts_user WHERE is_active AND left(password, 1) <> '!' GROUP BY substring(
        password FROM '^(argon2\$[^$]*\$[^$]*\$[^$]*|bcrypt[a-z0-9_]*\$\$[^$]*\$[^$]*|pbkdf2_[a-z0-9]*\$[0-9]*|[^$]*)\$'
    )
"""


class Kind(NamedTuple):
    """An algorithm, by Django's name, and what its hasher has to be set to."""

    algorithm: str
    work: tuple[tuple[str, int], ...]

    @property
    def hasher(self) -> BasePasswordHasher:
        """What makes hashes of this kind."""
        hasher = copy.copy(get_hasher(self.algorithm))
        for name, value in self.work:
            setattr(hasher, name, value)
        return hasher

    @property
    def is_installed(self) -> bool:
        return self.algorithm in get_hashers_by_algorithm()


def kind_of(stored: str | None) -> Kind | None:
    """Return the kind of a stored hash; None for what is no hash, or one that nothing installed reads."""
    if stored is None or not is_password_usable(stored):
        return None
    try:
        hasher = identify_hasher(stored)
        said: dict[str, Any] = hasher.decode(stored)
    except (ValueError, AssertionError, LookupError):
        return None
    work = ((name, int(said[word])) for word, name in WORK.items() if word in said)
    return Kind(str(hasher.algorithm), tuple(work))


class HashKinds:
    """What this process knows of the kinds in use."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: frozenset[Kind] = frozenset()
        self._asked_at = float("-inf")

    def with_(self, *kinds: Kind) -> frozenset[Kind]:
        """Return every kind that is in use and installed, with `kinds`, which are from now on."""
        if self._is_due():
            with self._lock:
                if self._is_due():
                    self.remember(_stored_kinds())
        if not self._kinds.issuperset(kinds):
            self._kinds |= frozenset(kinds)
        return frozenset(kind for kind in self._kinds if kind.is_installed)

    def remember(self, kinds: Iterable[Kind]) -> None:
        """Take these for all that are in use, until it is time to ask again."""
        self._kinds = frozenset(kinds)
        self._asked_at = self._clock()

    def _is_due(self) -> bool:
        return self._clock() - self._asked_at >= ASKED_EVERY_SECONDS


def _stored_kinds() -> list[Kind]:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_OF_EACH)
        return [kind for (stored,) in cursor.fetchall() if (kind := kind_of(stored)) is not None]


kinds_in_use = HashKinds()
