"""Taking every line of the policy away, one at a time: the matrix has to notice each.

Run by `make authz-mutants`, not by `make test`. A mutant lives in this process for as long as the matrix
takes to disagree; the operations that ask for what it changes come first, so that most live briefly.
`AUTHZ_SLICE` names what to try: words, one of which is in the mutant's name.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from accounts import roles
from core import visibility
from core.api.permissions import AUTHENTICATED
from tests.authorization import matrix
from tests.authorization.expectations import reviewed
from tests.authorization.matrix import Operation
from tests.authorization.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(0)]


@dataclass(frozen=True)
class Mutant:
    """A change of the policy: its name, how it comes and goes, and which operations it is likely to change."""

    name: str
    apply: Callable[[], Callable[[], None]]
    concerns: Callable[[Operation], bool]
    # Only those who hold it can notice that a role lost something.
    role: roles.Role | None = None
    # Only what asks for rows of it can notice that a rule about a model is gone.
    model: Any = None


@contextmanager
def living(mutant: Mutant) -> Iterator[None]:
    """Change the policy for a while."""
    undo = mutant.apply()
    try:
        yield
    finally:
        undo()


def mutants() -> Iterator[Mutant]:
    """Return every mutant of every kind."""
    yield from _of_grants()
    yield from _of_roles()
    yield from _of_actions()


def _of_grants() -> Iterator[Mutant]:
    """Take each rule of sight away from each model it opens, for seeing and for managing."""
    rules = {
        (model._meta.label, rule.__name__): (model, rule)
        for (model, _), granted in visibility._grants.items()
        for rule in granted
        if model._meta.app_label != "testapp"
    }
    for (label, name), (model, rule) in sorted(rules.items()):
        yield Mutant(f"{label} without {name}", _withdrawing(model, rule), _asks_for_rows_of(model), model=model)


def _withdrawing(model: Any, rule: Any) -> Callable[[], Callable[[], None]]:
    def apply() -> Callable[[], None]:
        sights = [(model, "view"), (model, "manage")]
        before = {sight: list(visibility._grants[sight]) for sight in sights}
        for sight in sights:
            visibility._grants[sight] = [each for each in before[sight] if each is not rule]
        return lambda: visibility._grants.update(before)

    return apply


def _asks_for_rows_of(model: Any) -> Callable[[Operation], bool]:
    return lambda op: hasattr(op.route.view, "queryset") and model in (op.route.model, getattr(op, "subject", None))


def _of_roles() -> Iterator[Mutant]:
    """Take each permission away from each role that stands in the table, and from the auditor what a route asks for."""
    seen: set[str] = set()
    for role, permissions in roles._PERMISSIONS.items():
        for permission in sorted(permissions):
            yield Mutant(f"{role.value} without {permission}", _taking(role, permission), _requires(permission), role)
    for op in matrix.operations():
        permission = getattr(op.route.view, "required_permissions", {}).get(op.action, AUTHENTICATED)
        if op.method == "GET" and permission in roles._every(("view",)) and permission not in seen:
            seen.add(permission)
            name = f"auditor without {permission}"
            yield Mutant(name, _hiding(permission), _requires(permission), roles.Role.AUDITOR)


def _taking(role: roles.Role, permission: str) -> Callable[[], Callable[[], None]]:
    def apply() -> Callable[[], None]:
        before = roles._PERMISSIONS[role]
        roles._PERMISSIONS[role] = before - {permission}
        roles.permissions_of.cache_clear()

        def undo() -> None:
            roles._PERMISSIONS[role] = before
            roles.permissions_of.cache_clear()

        return undo

    return apply


def _hiding(permission: str) -> Callable[[], Callable[[], None]]:
    def apply() -> Callable[[], None]:
        before = roles._every
        roles._every = lambda verbs: before(verbs) - {permission}
        roles.permissions_of.cache_clear()

        def undo() -> None:
            roles._every = before
            roles.permissions_of.cache_clear()

        return undo

    return apply


def _requires(permission: str) -> Callable[[Operation], bool]:
    return lambda op: getattr(op.route.view, "required_permissions", {}).get(op.action) == permission


def _of_actions() -> Iterator[Mutant]:
    """Take the permission of each action away, so that it is refused; or ask for none, so that all may."""
    seen = set()
    for op in matrix.operations():
        required = op.route.view.__dict__.get("required_permissions", {})
        if (op.route.view, op.action) in seen or op.action not in required:
            continue
        seen.add((op.route.view, op.action))
        name = f"{op.route.view.__module__}.{op.route.view.__name__}.{op.action}"
        yield Mutant(f"undeclared {name}", _requiring(op.route.view, op.action, None), _is(op))
        if required[op.action] != AUTHENTICATED:
            yield Mutant(f"unasked {name}", _requiring(op.route.view, op.action, AUTHENTICATED), _is(op))


def _requiring(view: Any, action: str, permission: str | None) -> Callable[[], Callable[[], None]]:
    def apply() -> Callable[[], None]:
        before = view.required_permissions
        others = {name: each for name, each in before.items() if name != action}
        view.required_permissions = others if permission is None else {**others, action: permission}
        return lambda: setattr(view, "required_permissions", before)

    return apply


def _is(operation: Operation) -> Callable[[Operation], bool]:
    return lambda op: op.route.view is operation.route.view and op.action == operation.action


class _Recording(defaultdict[Any, Any]):
    """The rules of sight, which remember for which models they were asked."""

    asked: set[Any]

    def __getitem__(self, key: Any) -> Any:
        self.asked.add(key[0])
        return super().__getitem__(key)


def consulted(world: World) -> list[tuple[Operation, set[Any]]]:
    """Return for which models each operation asks the rules of sight, be it for rows or for ids in bodies."""
    before = visibility._grants
    recording = visibility._grants = _Recording(list, before)
    found = []
    try:
        for operation in matrix.operations():
            recording.asked = set()
            for actor in ("student", "department_head", "registrar", "system_admin"):
                for target in matrix.targets(operation, world, actor):
                    matrix.ask(world, operation, actor, target)
            found.append((operation, set(recording.asked)))
    finally:
        visibility._grants = before
    return found


def found_by(world: World, mutant: Mutant, operations: Iterable[Operation]) -> str:
    """Return what the matrix says against a mutant: its first sentence, or nothing at all."""
    actors = [name for name, role in world.roles.items() if role == mutant.role] if mutant.role else None
    with living(mutant):
        for operation in sorted(operations, key=lambda op: not mutant.concerns(op)):
            for fault in matrix.disagreements(world, operation, reviewed(), actors):
                return fault
    return ""


def test_every_mutant_is_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    words = os.environ.get("AUTHZ_SLICE", "").split()
    chosen = [mutant for mutant in mutants() if not words or any(word in mutant.name for word in words)]
    assert chosen, f"No mutant has {' or '.join(words)} in its name."
    asked = consulted(world)
    survivors = []
    for mutant in chosen:
        affected = [op for op, models in asked if mutant.model is None or mutant.model in models]
        fault = found_by(world, mutant, affected)
        if not fault:
            survivors.append(mutant.name)
        with capsys.disabled():
            sys.stdout.write(f"{'found   ' if fault else 'SURVIVED'}  {mutant.name:90}  {fault[:90]}\n")
            sys.stdout.flush()
    assert not survivors, f"{len(survivors)} of {len(chosen)} mutants survived:\n" + "\n".join(survivors)
