"""Taking every line of the policy away, one at a time: the matrix has to notice each.

Run by `make authz-mutants`, not by `make test`. The whole matrix is asked once, while it is recorded which
permission and which rule of sight each answer rested on. A mutant lives in this process for as long as the
matrix takes to disagree, and is shown only the cells that rested on what it takes away: the others cannot
tell. `AUTHZ_SLICE` names what to try: words, one of which is in the mutant's name.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import pytest
from django.db.models import Q

from accounts import roles
from accounts.assignments import Assignment
from accounts.models import User
from core import masks, visibility
from core.api.permissions import AUTHENTICATED
from tests.authorization import duties, matrix
from tests.authorization.concerned import CASES as CONCERNED
from tests.authorization.expectations import reviewed
from tests.authorization.matrix import Operation
from tests.authorization.sight import CASES, faults
from tests.authorization.world import OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(0)]

# What no route asks for, and where it is shown what becomes of somebody without it.
SHOWN_ELSEWHERE = {
    "attendance.view_calendarfeed": "tests/attendance/test_calendar_feed.py",
    "core.view_customfield": "tests/authorization/test_admin.py",
    "courses.view_sectioninstructor": "tests/authorization/test_admin.py",
    "enrollment.override_rules": "tests/enrollment/test_api.py",
}
# What every role that comes to the rows of the matrix may know, as it is masked for keys alone, or for those who do the
# same project; and where they are shown.
MASKED_FOR_OTHERS = {
    (
        "attendance.Roster",
        "whoever_may_see_a_sheet_knows_how_many_are_marked_with_what",
    ): "tests/attendance/test_counts.py",
    (
        "projects.ProjectMember",
        "students_supervisors_and_planners_know_how_much_of_the_work_is_whose",
    ): "tests/projects/test_explained.py",
}
# The rule about files of records of which only the tests have any.
OF_THE_TESTS = {"whoever_sees_the_item"}


@dataclass(frozen=True)
class Mutant:
    """A change of the policy: its name, how it comes and goes, and which operations it is likely to change."""

    name: str
    apply: Callable[[], Callable[[], None]]
    concerns: Callable[[Operation], bool]
    # What an answer that can change rested on: a permission, or a rule and its model; otherwise `concerns` says it all.
    basis: Any = None
    # Only those who hold it can notice that a role lost something.
    role: roles.Role | None = None
    # Where it is no longer asked whether somebody decides about themselves; the matrix has no such rows.
    place: duties.Place | None = None

    @property
    def model(self) -> Any:
        """Return the model whose rows a rule opens; None where no rule is taken away."""
        return self.basis[0] if isinstance(self.basis, tuple) else None

    def shows_in(self, cell: "Recorded", world: World) -> bool:
        """Say whether the answers of a cell can change."""
        if self.basis is None:
            return self.concerns(cell.operation)
        return self.basis in cell.rested_on and self.role in (None, world.roles[cell.actor])


@dataclass(frozen=True)
class Recorded:
    """An operation as an actor asks for it, and what said yes to it: permissions, and rules with their models."""

    operation: Operation
    actor: str
    rested_on: frozenset[Any]


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
    yield from _of_masks()
    yield from _of_duties()


def _of_grants() -> Iterator[Mutant]:
    """Take each rule of sight away from each model it opens, for seeing and for managing."""
    rules = {
        (model._meta.label, rule.__name__): (model, rule)
        for (model, _), granted in visibility._grants.items()
        for rule in granted
        if model._meta.app_label != "testapp" and rule.__name__ not in OF_THE_TESTS
    }
    for (label, name), (model, rule) in sorted(rules.items()):
        yield Mutant(f"{label} without {name}", _withdrawing(model, rule), _asks_for_rows_of(model), (model, name))


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
        for permission in sorted(permissions - SHOWN_ELSEWHERE.keys()):
            yield Mutant(
                f"{role.value} without {permission}", _taking(role, permission), _requires(permission), permission, role
            )
    for op in matrix.operations():
        permission = getattr(op.route.view, "required_permissions", {}).get(op.action, AUTHENTICATED)
        if op.method == "GET" and permission in roles._every(("view",)) and permission not in seen:
            seen.add(permission)
            name = f"auditor without {permission}"
            yield Mutant(name, _hiding(permission), _requires(permission), permission, roles.Role.AUDITOR)


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


def _of_masks() -> Iterator[Mutant]:
    """Open what each mask keeps to everybody who sees the row."""
    found = {(model._meta.label, mask.rule.__name__): mask for model in masks._masks for mask in masks.masks_of(model)}
    for (label, name), mask in sorted(found.items(), key=lambda each: each[0]):
        if mask.model._meta.app_label != "testapp" and (label, name) not in MASKED_FOR_OTHERS:
            yield Mutant(f"{label} with the mask of {name} open", _opening(mask), _asks_for_rows_of(mask.model))


def _opening(mask: masks.Mask) -> Callable[[], Callable[[], None]]:
    @wraps(mask.rule)
    def everybody(actor: Any) -> Q:
        return Q()

    def apply() -> Callable[[], None]:
        before = list(masks._masks[mask.model])
        masks._masks[mask.model] = [replace(each, rule=everybody) if each is mask else each for each in before]
        return lambda: masks._masks.update({mask.model: before})

    return apply


def _of_duties() -> Iterator[Mutant]:
    """Let whoever is concerned decide, at each place that asks for somebody else."""
    for place in duties.places():
        yield Mutant(f"one's own duty at {place}", duties.letting(place), lambda op: False, place=place)


class _Held(frozenset[str]):
    """Permissions that remember which of them were asked for and held."""

    asked: set[Any]

    def __contains__(self, permission: object) -> bool:
        is_held = super().__contains__(permission)
        if is_held:
            self.asked.add(permission)
        return is_held


@contextmanager
def recording() -> Iterator[set[Any]]:
    """Note down every permission that is asked for and held, and every rule of sight that opens rows."""
    noted = _Held.asked = set()

    def noting(model: Any, rule: Any) -> Any:
        def ask(actor: Any) -> Any:
            opened = rule(actor)
            if opened is not None:
                noted.add((model, rule.__name__))
            return opened

        return ask

    of_role, of_all = Assignment.permissions.fget, User.permissions.func
    rules = {key: [noting(key[0], rule) for rule in granted] for key, granted in visibility._grants.items()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(visibility, "_grants", defaultdict(list, rules))
        patched.setattr(Assignment, "permissions", property(lambda held: _Held(of_role(held))))
        patched.setattr(User, "permissions", property(lambda user: _Held(of_all(user))))
        yield noted


def unrecorded(world: World) -> Iterator[Recorded]:
    """Yield every cell of the matrix, without what its answer rested on."""
    for operation in matrix.operations():
        for actor in world.clients:
            yield Recorded(operation, actor, frozenset())


def recorded(world: World) -> Iterator[Recorded]:
    """Ask the whole matrix, which has to agree with the policy as it is, and yield what each answer rested on."""
    with recording() as noted:
        for cell in unrecorded(world):
            noted.clear()
            assert not list(matrix.disagreements(world, cell.operation, reviewed(), [cell.actor]))
            yield replace(cell, rested_on=frozenset(noted))


def found_by(world: World, mutant: Mutant, cells: list[Recorded]) -> str:
    """Return what the matrix says against a mutant: its first sentence, or nothing at all."""

    def unlikely(cell: Recorded) -> tuple[bool, bool]:
        status = reviewed().line(cell.operation).cell(cell.actor).status(OWN)
        return not mutant.concerns(cell.operation), status >= 300

    if mutant.place is not None:
        stand = list(duties.standing_on(mutant.place, CONCERNED, world))
        with living(mutant):
            return next((f"{case} is no longer refused" for case in stand if not duties.refused(case, world)), "")
    with living(mutant):
        for case in (case for case in CASES if mutant.model is case.model or mutant.role == case.role):
            for fault in faults(case, world):
                return fault
        for cell in sorted((cell for cell in cells if mutant.shows_in(cell, world)), key=unlikely):
            for fault in matrix.disagreements(world, cell.operation, reviewed(), [cell.actor]):
                return fault
    return ""


def test_every_mutant_is_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    words = os.environ.get("AUTHZ_SLICE", "").split()
    chosen = [mutant for mutant in mutants() if not words or any(word in mutant.name for word in words)]
    assert chosen, f"No mutant has {' or '.join(words)} in its name."
    cells = list(recorded(world) if any(mutant.basis for mutant in chosen) else unrecorded(world))
    survivors = []
    for mutant in chosen:
        fault = found_by(world, mutant, cells)
        if not fault:
            survivors.append(mutant.name)
        with capsys.disabled():
            sys.stdout.write(f"{'found   ' if fault else 'SURVIVED'}  {mutant.name:90}  {fault[:90]}\n")
            sys.stdout.flush()
    assert not survivors, f"{len(survivors)} of {len(chosen)} mutants survived:\n" + "\n".join(survivors)
