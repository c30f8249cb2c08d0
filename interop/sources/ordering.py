"""The order in which rows that lie below each other can be written."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def parents_first(
    rows: Iterable[T], keys: Collection[str], names: Callable[[T], tuple[str, str | None]]
) -> Iterator[T]:
    """Yield rows so that each comes after the one above it, as far as there is one among `keys`.

    `names` returns a row's key and that of the row above it. Only rows that come before the one
    above them are held meanwhile. A circle, and what lies below it, comes last: it is refused when
    it is written.
    """
    given: set[str] = set()
    waiting: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        _, parent = names(row)
        if parent is not None and parent in keys and parent not in given:
            waiting[parent].append(row)
            continue
        ready = [row]
        while ready:
            current = ready.pop()
            yield current
            key, _ = names(current)
            given.add(key)
            ready.extend(reversed(waiting.pop(key, [])))
    for left in waiting.values():
        yield from left
