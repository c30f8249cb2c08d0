"""Who is given which role."""

from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import RoleAssignment, User
from accounts.roles import usual_scope
from accounts.services.sessions import outdate_tokens
from core import crud
from core.errors import ForbiddenError, InvalidError
from core.visibility import Actor


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


@transaction.atomic
def assign_role(*, by: Actor | None, **values: Unpack[RoleAssignmentValues]) -> RoleAssignment:
    """Give a role to a user, from now on unless `valid_from` says otherwise.

    Without a scope it is held in its usual one: for oneself, or for the institution.
    """
    _refuse_self(values["user"], by)
    fields: dict[str, Any] = {"scope_kind": usual_scope(values["role"]), **values}
    start = fields.pop("valid_from", None) or timezone.now()
    fields["valid"] = _span(start, fields.pop("valid_until", None))
    assignment = crud.create(RoleAssignment, {**fields, "granted_by": by})
    outdate_tokens(assignment.user)
    return assignment


@transaction.atomic
def update_assignment(
    assignment: RoleAssignment, *, by: Actor | None, **changes: Unpack[RoleAssignmentValues]
) -> RoleAssignment:
    """Change an assignment: its scope or its time."""
    _refuse_self(assignment.user, by)
    _refuse_self(changes.get("user", assignment.user), by)
    fields: dict[str, Any] = dict(changes)
    if {"valid_from", "valid_until"} & fields.keys():
        start = fields.pop("valid_from", None) or assignment.valid.lower
        fields["valid"] = _span(start, fields.pop("valid_until", assignment.valid.upper))
    holders, seen = {assignment.user, changes.get("user", assignment.user)}, assignment.version
    crud.update(assignment, fields)
    if assignment.version != seen:
        outdate_tokens(*holders)
    return assignment


@transaction.atomic
def end_assignment(assignment: RoleAssignment, *, by: Actor | None) -> None:
    """Take a role away from now on; that it was held stays on record, unless it had not yet begun."""
    _refuse_self(assignment.user, by)
    now = timezone.now()
    if assignment.valid.lower and assignment.valid.lower >= now:
        crud.delete(assignment)
    elif assignment.valid.upper is None or assignment.valid.upper > now:
        crud.update(assignment, {"valid": _span(assignment.valid.lower, now)})
        outdate_tokens(assignment.user)


def _span(start: datetime, end: datetime | None) -> DateTimeTZRange:
    if end is not None and end <= start:
        raise EndsBeforeStartError
    return DateTimeTZRange(start, end, "[)")


def _refuse_self(user: User, by: Actor | None) -> None:
    if by is not None and user.pk == by.pk:
        raise SelfGrantError
