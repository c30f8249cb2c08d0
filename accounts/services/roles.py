"""Who is given which role."""

from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.assignments import unit_model
from accounts.models import RoleAssignment, User
from accounts.roles import UNSCOPED, ScopeKind, usual_scope
from accounts.services.sessions import outdate_tokens
from audit.services import record
from core import crud
from core.db.locks import keep_rows
from core.duties import may_not_be_same
from core.errors import ForbiddenError, InvalidError
from core.visibility import Actor, visible


class RoleAssignmentValues(TypedDict, total=False):
    user: User
    role: str
    scope_kind: str
    scope_id: UUID | None
    valid_from: datetime | None
    valid_until: datetime | None


class SelfGrantError(ForbiddenError):
    """Nobody changes what they themselves may do."""

    code = "self_approval"
    title = "Nobody grants a role to themselves."


class EndsBeforeStartError(InvalidError):
    """The assignment would end before it begins."""

    code = "ends_before_start"
    title = "An assignment ends after it begins."
    field = "valid_until"


class NoSuchUnitError(InvalidError):
    """The scope names a unit that is not there, or that the actor cannot see."""

    code = "does_not_exist"
    title = "There is no such row."
    field = "scope_id"


@transaction.atomic
def assign_role(*, by: Actor | None, **values: Unpack[RoleAssignmentValues]) -> RoleAssignment:
    """Give a role to a user, from now on unless `valid_from` says otherwise.

    Without a scope it is held in its usual one, which may take a unit. Raises `NoSuchUnitError` when
    the unit is none that the actor sees; within which kinds of scope a role is held, a constraint says.
    """
    may_not_be_same(by, SelfGrantError, accounts=[values["user"].pk])
    fields: dict[str, Any] = {"scope_kind": usual_scope(values["role"]), **values}
    _require_unit(fields["scope_kind"], fields.get("scope_id"), by)
    start = fields.pop("valid_from", None) or timezone.now()
    fields["valid"] = _span(start, fields.pop("valid_until", None))
    assignment = crud.create(RoleAssignment, {**fields, "granted_by": by})
    outdate_tokens(assignment.user)
    _record("role.granted", assignment, by)
    return assignment


@transaction.atomic
def update_assignment(
    assignment: RoleAssignment, *, by: Actor | None, **changes: Unpack[RoleAssignmentValues]
) -> RoleAssignment:
    """Change an assignment: its scope or its time; raise `NoSuchUnitError` as `assign_role` does."""
    may_not_be_same(by, SelfGrantError, accounts=[assignment.user_id, changes.get("user", assignment.user).pk])
    fields: dict[str, Any] = dict(changes)
    if {"valid_from", "valid_until"} & fields.keys():
        start = fields.pop("valid_from", None) or assignment.valid.lower
        fields["valid"] = _span(start, fields.pop("valid_until", assignment.valid.upper))
    if {"scope_kind", "scope_id", "valid"} & fields.keys():  # a longer time brings an old unit back
        kind, unit = (fields.get(name, getattr(assignment, name)) for name in ("scope_kind", "scope_id"))
        _require_unit(kind, unit, by)
    holders, seen = {assignment.user, changes.get("user", assignment.user)}, assignment.version
    crud.update(assignment, fields)
    if assignment.version != seen:
        outdate_tokens(*holders)
        _record("role.changed", assignment, by)
    return assignment


@transaction.atomic
def end_assignment(assignment: RoleAssignment, *, by: Actor | None) -> None:
    """Take a role away from now on; that it was held stays on record, unless it had not yet begun."""
    may_not_be_same(by, SelfGrantError, accounts=[assignment.user_id])
    now = timezone.now()
    if assignment.valid.upper is not None and assignment.valid.upper <= now:
        return
    _record("role.ended", assignment, by)
    if assignment.valid.lower and assignment.valid.lower >= now:
        crud.delete(assignment)
    else:
        crud.update(assignment, {"valid": _span(assignment.valid.lower, now)})
        outdate_tokens(assignment.user)


def _require_unit(kind: str, unit: UUID | None, by: Actor | None) -> None:
    """Refuse a unit that is not there for the actor; let nobody delete it before the assignment is committed."""
    if unit is None or kind in UNSCOPED or kind not in ScopeKind.values:
        return  # the constraints say what is wrong with these
    model = unit_model(kind)
    if model is None or not keep_rows(model, [unit]):
        raise NoSuchUnitError
    if by is not None and not visible(model._base_manager.filter(pk=unit), by).exists():
        raise NoSuchUnitError


def _record(action: str, assignment: RoleAssignment, by: Actor | None) -> None:
    scope = f"{assignment.scope_kind} {assignment.scope_id or ''}".strip()
    record(
        action=action,
        actor=by,
        subject=assignment,
        on_behalf_of=assignment.user_id,
        detail={"role": assignment.role, "scope": scope, "until": assignment.valid.upper},
    )


def _span(start: datetime, end: datetime | None) -> DateTimeTZRange:
    if end is not None and end <= start:
        raise EndsBeforeStartError
    return DateTimeTZRange(start, end, "[)")
