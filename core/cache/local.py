"""What this process remembers for a while: at most so many things, the least recently used goes first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class LocalCache(Generic[KeyT, ValueT]):
    """Remembers at most `most` values, each until an instant of `clock` (in seconds)."""

    def __init__(self, *, most: int, clock: Callable[[], float] = time.time) -> None:
        self._most = most
        self._clock = clock
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
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return value

    def add(self, key: KeyT, value: ValueT, *, until: float) -> None:
        """Remember a value until an instant, in place of what was remembered under the key."""
        with self._lock:
            self._kept[key] = (value, until)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
