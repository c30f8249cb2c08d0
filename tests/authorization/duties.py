"""Who must be somebody else: every place in a service that says so, and what becomes of the product without it.

A place is a call of `core.duties`.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.models import User
from core import duties
from core.errors import DomainError
from tests.authorization.world import OWN, World

ASKED = ("may_not_be_same", "is_same")


@dataclass(frozen=True)
class Place:
    """A call of `core.duties`: in which file, in which function, and on which lines."""

    path: str
    function: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}::{self.function}:{self.first}"

    def is_at(self, frame: Any) -> bool:
        """Say whether the code of a frame is making this call."""
        here = self.first <= frame.f_lineno <= self.last
        return here and Path(frame.f_code.co_filename) == Path(settings.BASE_DIR, self.path)


@cache
def places() -> list[Place]:
    """Return every place at which somebody must be somebody else."""
    return [place for path, tree in sources() for place in _calls(path, tree, "")]


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Return every source of the product that may say so."""
    paths = (path for app in settings.FIRST_PARTY_APPS for path in sorted(Path(settings.BASE_DIR, app).rglob("*.py")))
    named = {path.relative_to(settings.BASE_DIR).as_posix(): path.read_text() for path in paths}
    words = (*ASKED, "by")
    return [
        (name, ast.parse(text))
        for name, text in named.items()
        if "/migrations/" not in name and name != "core/duties.py" and any(word in text for word in words)
    ]


def _calls(path: str, node: ast.AST, function: str) -> Iterator[Place]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Call) and getattr(child.func, "id", "") in ASKED:
            yield Place(path, inside, child.lineno, child.end_lineno or child.lineno)
        yield from _calls(path, child, inside)


@dataclass(frozen=True)
class Case:
    """Somebody who does what is somebody else's: what, who they are, and by what they have to be refused."""

    name: str
    actor: Callable[[Any], User]
    act: Callable[[World, User], Any]
    refusal: type[DomainError]

    def __str__(self) -> str:
        return self.name


def refused(case: Case, world: World) -> bool:
    """Say whether the case is refused as it has to be; what the database refuses instead is another matter."""
    with transaction.atomic():
        try:
            done = case.act(world, case.actor(world.sides[OWN]))
            errors: Sequence[DomainError] = done if isinstance(done, list) else ()
        except DomainError as error:
            errors = error.violations
        except DatabaseError:
            errors = ()
        transaction.set_rollback(True)
    return any(type(error) is case.refusal for error in errors)


@contextmanager
def without(place: Place) -> Iterator[None]:
    """Let one place say of nobody that they are the same."""
    ask = duties._same

    def same(*arguments: Any) -> bool:
        return not place.is_at(sys._getframe(2)) and ask(*arguments)

    with mock.patch.object(duties, "_same", same):
        yield


def letting(place: Place) -> Callable[[], Callable[[], None]]:
    """Return what takes a place away, and returns what puts it back."""

    def apply() -> Callable[[], None]:
        stack = ExitStack()
        stack.enter_context(without(place))
        return stack.close

    return apply


def standing_on(place: Place, cases: Iterable[Case], world: World) -> Iterator[Case]:
    """Yield the cases that are refused at a place."""
    met: list[bool] = []
    ask = duties._same

    def same(*arguments: Any) -> bool:
        is_same = ask(*arguments)
        met.append(is_same and place.is_at(sys._getframe(2)))
        return is_same

    with mock.patch.object(duties, "_same", same):
        for case in cases:
            met.clear()
            refused(case, world)
            if any(met):
                yield case
