"""Many writes as one: what all of them would ask is asked once, and they stand or fall together.

Inside `together()` services work as ever, but for three things. No savepoint is opened, so whatever fails undoes the
whole block, even if somebody catches the error. What `once` has been asked is remembered. What is gathered by `gather`
is done at the end, all of it together. Whoever wants to know what failed does the same again without it, one by one.
"""

from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import transaction

AnswerT = TypeVar("AnswerT")


class UndoneError(Exception):
    """Something in the block failed and was passed over, so that nothing of the block was done."""


class _Shared:
    """What the writes of one block share."""

    def __init__(self) -> None:
        self.known: dict[Hashable, Any] = {}
        self.gathered: dict[Callable[[list[Any]], object], list[Any]] = {}

    def finish(self) -> None:
        while self.gathered:
            act = next(iter(self.gathered))
            act(self.gathered.pop(act))


_present: ContextVar[_Shared | None] = ContextVar("together", default=None)


@contextmanager
def together(*, last: Callable[[], object] | None = None) -> Generator[None]:
    """Run a block whose writes stand or fall together; raise `UndoneError` if one failed and nobody said so.

    `last` is done when everything else is, and belongs to the block.
    """
    connection, shared = transaction.get_connection(), _Shared()
    with transaction.atomic():
        token = _present.set(shared)
        # Every atomic block within is then a part of this one, and an error that leaves it condemns the whole.
        connection.features.uses_savepoints = False
        try:
            yield
            shared.finish()
            if last is not None:
                last()
        finally:
            del connection.features.uses_savepoints
            _present.reset(token)
        if connection.needs_rollback:
            raise UndoneError


def is_together() -> bool:
    """Say whether this is asked inside of `together()`."""
    return _present.get() is not None


def once(key: Hashable, ask: Callable[[], AnswerT]) -> AnswerT:
    """Return what `ask` answers, which inside of `together()` is asked once for each key."""
    shared = _present.get()
    if shared is None:
        return ask()
    if key not in shared.known:
        shared.known[key] = ask()
    answer: AnswerT = shared.known[key]
    return answer


def gather(act: Callable[[list[Any]], object], thing: Any) -> None:
    """Do `act` with a list of the things: of this one now, or inside of `together()` of all of them at its end."""
    shared = _present.get()
    if shared is None:
        act([thing])
    else:
        shared.gathered.setdefault(act, []).append(thing)
