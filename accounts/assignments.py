"""What a held role comes to: which permission, within which scope.

The units that a role is held for belong to apps above this one. Each registers the model of its
kind of unit when it is ready, so that an assignment can be held to name a unit that is there.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db.models import Model

from accounts.roles import SCOPES, Role, ScopeKind, permissions_of

_units: dict[str, type[Model]] = {}


def register_unit(kind: ScopeKind, model: type[Model]) -> None:
    """Let roles be held within rows of `model`; whoever deletes such a row asks `selectors.require_unassigned`."""
    _units[kind] = model


def unit_model(kind: str) -> type[Model] | None:
    """Return the model of the units of a kind of scope; None when no app has any."""
    return _units.get(kind)


@dataclass(frozen=True)
class Assignment:
    """A role somebody holds now, and the unit it is held for (None for institution and self).

    Of what the role permits, an API key leaves what is `within` its scopes; None leaves everything.
    """

    role: str
    scope_kind: str
    scope_id: UUID | None
    within: frozenset[str] | None = None

    @classmethod
    def from_json(cls, row: Mapping[str, Any], *, within: frozenset[str] | None = None) -> Self:
        scope_id = UUID(row["scope_id"]) if row["scope_id"] else None
        return cls(role=row["role"], scope_kind=row["scope_kind"], scope_id=scope_id, within=within)

    @property
    def permissions(self) -> frozenset[str]:
        """What the role permits to whoever holds it so."""
        permitted = permissions_of(self.role)
        return permitted if self.within is None else permitted & self.within


@dataclass(frozen=True)
class Scopes:
    """Where an actor holds a permission.

    `everywhere` covers the institution; the sets name departments (with all below them), programs
    and sections; `own` covers what concerns the actor in person.
    """

    everywhere: bool
    departments: frozenset[UUID]
    programs: frozenset[UUID]
    sections: frozenset[UUID]
    own: bool


def scopes_of(actor: Any, permission: str) -> Scopes:
    """Return the scopes within which `actor` holds `permission`."""
    held = [a for a in getattr(actor, "assignments", ()) if permission in a.permissions]

    def ids(kind: ScopeKind) -> frozenset[UUID]:
        return frozenset(a.scope_id for a in held if a.scope_kind == kind and a.scope_id is not None)

    return Scopes(
        everywhere=any(a.scope_kind == ScopeKind.INSTITUTION for a in held),
        departments=ids(ScopeKind.DEPARTMENT),
        programs=ids(ScopeKind.PROGRAM),
        sections=ids(ScopeKind.SECTION),
        own=any(a.scope_kind == ScopeKind.SELF for a in held),
    )


def person_as(actor: Any, roles: Collection[Role]) -> UUID | None:
    """Return the person that an actor is, if they hold one of these roles now, for whatever scope.

    Whom somebody advises or teaches says the record of those people; that it opens theirs ends with the role.
    """
    person: UUID | None = getattr(actor, "person_id", None)
    return person if any(held.role in roles for held in getattr(actor, "assignments", ())) else None


@dataclass(frozen=True)
class Holder:
    """Anybody who holds a role for the whole institution, and is nobody in particular: asked what the role opens."""

    role: Role
    pk: UUID | None = None
    person_id: UUID | None = None

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        return (Assignment(self.role, ScopeKind.INSTITUTION, None),)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in permissions_of(self.role)


def holders_of(permission: str) -> list[Holder]:
    """Return somebody of each role that holds a permission for the whole institution."""
    return [
        Holder(role)
        for role, kinds in SCOPES.items()
        if ScopeKind.INSTITUTION in kinds and permission in permissions_of(role)
    ]
