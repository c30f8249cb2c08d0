"""Who asks: one caller of every kind, all of them around the first department of the world.

A kind of caller that proves who they are in another way (an API key) is one more `Actor` here, with its own
credentials in `callers.client_of`.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import Person, User
from accounts.roles import Role, ScopeKind, permissions_of
from tests.accounts.factories import PersonFactory

# Nobody learns more from these than that they have to log in.
UNIDENTIFIED = ("anonymous", "disabled", "expired", "mfa_pending", "revoked_key", "expired_key")


@dataclass(frozen=True)
class Actor:
    """A caller: the role they hold, for what, and who they are; `user` where the account exists already."""

    name: str
    role: Role | None
    scope_kind: ScopeKind = ScopeKind.INSTITUTION
    scope_id: UUID | None = None
    person: Person | None = None
    user: User | None = None
    is_active: bool = True
    is_late: bool = False
    is_pending: bool = False
    # A program's: what its key is for. One that was revoked, or came too late, opens nothing.
    scopes: tuple[str, ...] | None = None
    is_revoked: bool = False


def cast(own: Any) -> list[Actor]:
    """Return everybody, around the department `own`."""
    personal = ScopeKind.SELF
    # More than any role of these gives: whether a key opens it is for both to say.
    everything = tuple(sorted(permissions_of(Role.SYSTEM_ADMIN)))
    return [
        Actor("anonymous", None),
        Actor("disabled", Role.SYSTEM_ADMIN, is_active=False),
        Actor("expired", Role.SYSTEM_ADMIN, is_late=True),
        Actor("mfa_pending", Role.SYSTEM_ADMIN, is_pending=True),
        Actor("revoked_key", Role.SYSTEM_ADMIN, scopes=everything, is_revoked=True),
        Actor("expired_key", Role.SYSTEM_ADMIN, scopes=everything, is_late=True),
        Actor("student", Role.STUDENT, personal, user=own.student_user),
        Actor("other_student", Role.STUDENT, personal, person=own.classmate.person),
        Actor("instructor", Role.FACULTY, personal, person=own.faculty.person),
        Actor("other_instructor", Role.FACULTY, personal, person=own.colleague.person),
        Actor("advisor", Role.ADVISOR, personal, person=own.advisor_person),
        Actor("department_head", Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, own.department.pk),
        Actor("program_coordinator", Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, own.program.pk),
        # Who studied here once: the record of that stays theirs, whatever they may do now.
        Actor("teaching_assistant", Role.TEACHING_ASSISTANT, ScopeKind.SECTION, own.section.pk, own.graduate.person),
        Actor("registrar", Role.REGISTRAR),
        Actor("finance_officer", Role.FINANCE_OFFICER),
        Actor("facilities_manager", Role.FACILITIES_MANAGER),
        Actor("hr_officer", Role.HR_OFFICER),
        Actor("exam_controller", Role.EXAM_CONTROLLER),
        Actor("guardian", Role.GUARDIAN, personal, person=own.guardian),
        Actor("examiner", Role.EXAMINER),
        Actor("finance_approver", Role.FINANCE_APPROVER),
        Actor("campaign_manager", Role.CAMPAIGN_MANAGER),
        Actor("auditor", Role.AUDITOR),
        Actor("system_admin", Role.SYSTEM_ADMIN),
        Actor("integration", Role.INTEGRATION, scopes=everything),
        Actor("narrow_key", Role.SYSTEM_ADMIN, scopes=("audit.view_change",)),
    ]


def cast_of_a_department(own: Any) -> list[Actor]:
    """Return those who work with everything, but of the department `own` alone; each is somebody known there."""
    roles = (Role.REGISTRAR, Role.DEPARTMENT_HEAD, Role.PROGRAM_COORDINATOR, Role.HR_OFFICER)
    return [
        Actor(f"{role}_of_department", role, ScopeKind.DEPARTMENT, own.department.pk, PersonFactory()) for role in roles
    ]
