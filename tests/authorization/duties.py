"""Who must be somebody else: every place in a service that says so, and what becomes of the product without it.

A place is a call of `core.duties`.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints, is_typeddict
from unittest import mock

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.models import User
from core import duties
from core.errors import DomainError
from core.privacy import declared
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


def refusing(cases: Iterable[Case], world: World) -> set[str]:
    """Return every function that was under way when one of the cases was refused, by file and name."""
    met: set[str] = set()
    ask = duties._same

    def same(*arguments: Any) -> bool:
        is_same = ask(*arguments)
        frame = sys._getframe(2) if is_same else None
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(settings.BASE_DIR):
                met.add(f"{path.relative_to(settings.BASE_DIR).as_posix()}::{frame.f_code.co_name}")
            frame = frame.f_back
        return is_same

    with mock.patch.object(duties, "_same", same):
        for case in cases:
            refused(case, world)
    return met


def acts_about_people() -> dict[str, Callable[..., Any]]:
    """Return every public service that says by whom it is asked and takes or returns what says something of somebody.

    That is a row of a model that is declared as personal (`core.privacy`), by itself, within a collection, or among the
    values of a `TypedDict` or the fields of a dataclass.
    """
    personal = {declaration.model for declaration in declared()}
    return {
        f"{module.__name__.replace('.', '/')}.py::{name}": act
        for module in _services()
        for name, act in vars(module).items()
        if not name.startswith("_")
        and isinstance(act, FunctionType)
        and act.__module__ == module.__name__
        and "by" in inspect.signature(act).parameters
        and any(personal & set(_named(hint, frozenset())) for hint in _hints(act) if hint is not None)
    }


def _services() -> Iterator[ModuleType]:
    for path, _ in sources():
        if "/services/" in path:
            yield import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def _hints(act: Any) -> list[Any]:
    hints = get_type_hints(act)
    hints.pop("by", None)
    return list(hints.values())


def _named(hint: Any, within: frozenset[Any]) -> Iterator[type[Any]]:
    """Yield every class that an annotation names, however deep."""
    if hint in within:
        return
    if isinstance(hint, TypeVar):
        hint = hint.__bound__
    if isinstance(hint, type) and (is_typeddict(hint) or is_dataclass(hint)):
        for inner in get_type_hints(hint).values():
            yield from _named(inner, within | {hint})
    elif isinstance(hint, type) and get_origin(hint) is None:
        yield hint
    for inner in get_args(hint):
        if isinstance(inner, list):
            continue
        yield from _named(inner, within)
