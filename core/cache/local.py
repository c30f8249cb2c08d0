"""What this process remembers for a while: at most so much, the least recently used goes first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


def _one(value: object) -> int:
    return 1


class LocalCache(Generic[KeyT, ValueT]):
    """Remembers values that together weigh at most `most`, each until an instant of `clock` (in seconds).

    Each weighs one, unless `weigh` says otherwise.
    """

    def __init__(
        self, *, most: int, clock: Callable[[], float] = time.time, weigh: Callable[[ValueT], int] = _one
    ) -> None:
        self._most = most
        self._clock = clock
        self._weigh = weigh
        self._weight = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[KeyT, tuple[ValueT, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: KeyT) -> ValueT | None:
        """Return what is remembered under the key; None when its time is over or it was not seen lately."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            value, until = kept
            if until <= self._clock():
                self._forget(key)
                return None
            self._kept.move_to_end(key)
            return value

    def add(self, key: KeyT, value: ValueT, *, until: float) -> None:
        """Remember a value until an instant, in place of what was remembered under the key."""
        with self._lock:
            if key in self._kept:
                self._forget(key)
            self._kept[key] = (value, until)
            self._weight += self._weigh(value)
            while self._weight > self._most:
                self._forget(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._weight = 0

    def _forget(self, key: KeyT) -> None:
        value, _ = self._kept.pop(key)
        self._weight -= self._weigh(value)
