"""Who does final projects."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import QuerySet

from core import crud
from core.db.constraints import refusal, refusing
from core.db.locks import share_rows
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError
from core.visibility import Actor
from projects.models import CyclePhase, FinalYearProject, ProjectCycle, ProjectMember
from projects.services.cycles import NotInProgramError, hold_cycle, is_in_program, require_phase
from students.models import Student

BATCH = 1_000


class MemberValues(TypedDict, total=False):
    is_active: bool
    contribution: Decimal | None


class GroupFullError(ConflictError):
    """The project has as many members as the cycle allows."""

    code = "group_full"
    title = "The group of the project is full."
    field = "project"


class ProjectMismatchError(ConflictError):
    """A member would be of another cycle or supervisor than the project."""

    code = "project_mismatch"
    title = "A member is of the cycle and the supervisor of the project."
    field = "project"


class OwnMembershipError(ForbiddenError):
    """A student would take themselves into a project, or say how much of it is theirs."""

    code = "self_approval"
    title = "Nobody takes themselves into a project, or says how much of its work is theirs."


class ContributionsExceededError(ConflictError):
    """The members of a group, and those who left it, would have done more than all of the work."""

    code = "contributions_exceeded"
    title = "The contributions of a group come to 100 per cent at most."
    field = "contribution"


refusal("projects_projectmember_group_not_full", GroupFullError)
refusal("projects_projectmember_contributions_fit", ContributionsExceededError)
refusal("projects_projectmember_of_project", ProjectMismatchError)


@transaction.atomic
def add_member(*, by: Actor | None, at: datetime, project: FinalYearProject, student: Student) -> ProjectMember:
    """Let a student do a project.

    Refused with `phase_not_open` but while projects are done, with `not_in_program`, `already_in_project`,
    `member_taken` or `group_full`, with `topic_full` and `quota_exceeded` where the topic or its supervisor takes no
    more students, and with `self_approval` to the student.
    """
    may_not_be_same(by, OwnMembershipError, people=[student.person_id])
    cycle = hold_cycle(project.cycle)
    require_phase(cycle, CyclePhase.WORK, at=at)
    if not is_in_program(student, cycle):
        raise NotInProgramError
    return crud.create(ProjectMember, _membership(project, student))


def add_members(memberships: Sequence[tuple[FinalYearProject, Student]]) -> None:
    """Let many students do projects at once; refused as one is, for all of them."""
    with refusing():
        ProjectMember.objects.bulk_create(
            (ProjectMember(**_membership(*each)) for each in memberships), batch_size=BATCH
        )


@transaction.atomic
def update_member(
    member: ProjectMember, *, by: Actor | None, at: datetime, **changes: Unpack[MemberValues]
) -> ProjectMember:
    """Let a member leave or come back, or say how much of the work is theirs.

    Refused as `add_member` is, but that who leaves may do so, and work is shared out, while projects are defended as
    well; and with `contributions_exceeded` where a group would have done more than all of it.
    """
    may_not_be_same(by, OwnMembershipError, people=[member.student.person_id])
    hold_projects(FinalYearProject.objects.filter(pk=member.project_id))
    cycle = hold_cycle(member.cycle)
    comes_back = changes.get("is_active", False) and not member.is_active
    require_phase(cycle, CyclePhase.WORK, *(() if comes_back else (CyclePhase.DEFENCES,)), at=at)
    if comes_back and not is_in_program(member.student, cycle):
        raise NotInProgramError
    return crud.update(member, changes)


def hold_projects(projects: QuerySet[FinalYearProject]) -> None:
    """Let nobody change projects or the rules of their cycles: everybody locks those first, and members then."""
    share_rows(ProjectCycle, projects.values_list("cycle", flat=True))
    list(projects.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def _membership(project: FinalYearProject, student: Student) -> dict[str, object]:
    return {
        "project": project, "cycle_id": project.cycle_id, "supervisor_id": project.supervisor_id, "student": student,
    }  # fmt: skip
