"""What changes cycles, and how many anybody takes in them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction

from core import crud
from core.db.constraints import refusal, refusal_named
from core.db.locks import share_rows
from core.duties import may_not_be_same, records_of
from core.errors import ConflictError, ForbiddenError, InUseError, InvalidError
from core.visibility import Actor
from departments.models import AcademicYear, Program
from faculty.models import Faculty
from projects.models import (
    AllocationRun,
    CyclePhase,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
)
from students.models import ProgramEnrollment, Student

# What an allocation rests on, and by what projects are judged.
DECIDED_BY = {"topics_open_at", "preferences_open_at", "preferences_close_at"}
JUDGED_BY = {"defences_open_at", "pass_mark", "conditional_pass_mark"}
BEFORE_DEFENCES = (CyclePhase.PLANNED, CyclePhase.TOPICS, CyclePhase.PREFERENCES, CyclePhase.WORK)


class CycleValues(TypedDict, total=False):
    program: Program
    academic_year: AcademicYear
    name: str
    topics_open_at: datetime
    preferences_open_at: datetime
    preferences_close_at: datetime
    defences_open_at: datetime
    ends_at: datetime
    min_group_size: int
    max_group_size: int
    most_preferences: int
    pass_mark: Decimal
    conditional_pass_mark: Decimal


class CapacityValues(TypedDict, total=False):
    max_count: int


class NewCapacityValues(CapacityValues, total=False):
    cycle: ProjectCycle
    faculty: Faculty
    role: str


class PhaseNotOpenError(ConflictError):
    """The days of the cycle are not for this."""

    code = "phase_not_open"
    title = "The cycle is not in the phase for this."
    field = "cycle"


class QuotaExceededError(ConflictError):
    """A member of faculty would take more than they do in this cycle, or somebody who takes none would take any."""

    code = "quota_exceeded"
    title = "The member of faculty takes no more in this cycle."


class GroupsLargerError(ConflictError):
    """There are larger groups in the cycle than it would allow."""

    code = "groups_larger"
    title = "A group of the cycle has more members already."
    field = "max_group_size"


class OwnCycleError(ForbiddenError):
    """Whoever wants a topic of the cycle, or does a project of it, would change by what that is decided."""

    code = "self_approval"
    title = "Nobody decides about a cycle in which they want a topic or do a project."


class NotInProgramError(InvalidError):
    """The cycle is for the students of another program."""

    code = "not_in_program"
    title = "The student is not enrolled in the program of the cycle."
    field = "student"


refusal("projects_supervisorcapacity_not_exceeded", QuotaExceededError)
# Somebody of whom it is not said takes none.
refusal("projects_projectmember_capacity_said", QuotaExceededError)
refusal("projects_supervisorcapacity_kept", InUseError)
refusal("projects_projectcycle_groups_fit", GroupsLargerError)


def create_cycle(*, by: Actor | None, **values: Unpack[CycleValues]) -> ProjectCycle:
    """Plan the final projects of a program in a year.

    Refused with `cycle_taken`, `phases_out_of_turn`, `group_size_out_of_range` or `pass_marks_out_of_order`.
    """
    return crud.create(ProjectCycle, values)


@transaction.atomic
def update_cycle(
    cycle: ProjectCycle, *, by: Actor | None, at: datetime, **changes: Unpack[CycleValues]
) -> ProjectCycle:
    """Change a cycle; refused as its creation is, and with `self_approval` to whoever takes part in it.

    The program and the year of a cycle are final. Until when topics were offered and preferred is so once an allocation
    is published (`allocation_published`), and what a project passes with once projects are defended (`phase_not_open`).
    Groups are not allowed fewer members than one has (`groups_larger`).
    """
    require_no_part(by, cycle)
    standing = lock_cycle(cycle)
    changed = {name for name, value in changes.items() if getattr(standing, name) != value}
    if changed & DECIDED_BY:
        require_unpublished(cycle)
    if changed & JUDGED_BY:
        require_phase(standing, *BEFORE_DEFENCES, at=at)
    return crud.update(cycle, changes)


def delete_cycle(cycle: ProjectCycle, *, by: Actor | None) -> None:
    """Delete a cycle in which there is nothing yet; refused with `in_use` otherwise."""
    crud.delete(cycle)


@transaction.atomic
def set_capacity(*, by: Actor | None, **values: Unpack[NewCapacityValues]) -> SupervisorCapacity:
    """Say how many a member of faculty takes in a cycle.

    Refused with `capacity_taken` where it is said already, and with `self_approval` to whoever takes part in the cycle.
    """
    capacity = crud.create(SupervisorCapacity, values)
    require_no_part(by, capacity.cycle)
    return capacity


def update_capacity(
    capacity: SupervisorCapacity, *, by: Actor | None, **changes: Unpack[CapacityValues]
) -> SupervisorCapacity:
    """Let a member of faculty take more or fewer.

    Refused with `quota_exceeded` below what they have taken, and with `self_approval` to whoever takes part.
    """
    require_no_part(by, capacity.cycle)
    # Whoever is taken on meanwhile locks the row, and counts no version: the constraint judges what is there then.
    return crud.update(capacity, changes)


@transaction.atomic
def delete_capacity(capacity: SupervisorCapacity, *, by: Actor | None) -> None:
    """Let a member of faculty take nobody in a cycle; refused with `in_use` while they have, else as a change is."""
    require_no_part(by, capacity.cycle)
    # Whoever is taken on meanwhile locks the row as well. What it counts would be forgotten with it.
    for held in SupervisorCapacity.objects.select_for_update().filter(pk=capacity.pk):
        if held.used_count:
            raise InUseError(meta={"used": held.used_count})
    crud.delete(capacity)


def lock_cycle(cycle: ProjectCycle) -> ProjectCycle:
    """Return a cycle as it is now; nobody changes or holds it before this transaction ends."""
    return ProjectCycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)


def hold_cycle(cycle: ProjectCycle) -> ProjectCycle:
    """Return a cycle as it is now; nobody changes it or publishes an allocation before this transaction ends."""
    share_rows(ProjectCycle, [cycle.pk])
    return ProjectCycle.objects.get(pk=cycle.pk)


def require_no_part(by: Actor | None, cycle: ProjectCycle) -> None:
    """Refuse with `self_approval` to whoever wants a topic of the cycle, or does a project of it, or did."""
    applied, does = (
        model.objects.filter(cycle=cycle, student__person__in=records_of(by)).values_list("student__person", flat=True)
        for model in (ProjectApplication, ProjectMember)
    )
    may_not_be_same(by, OwnCycleError, people=applied.union(does))


def is_allocated(cycle: ProjectCycle) -> bool:
    """Say whether an allocation of the cycle is published."""
    return AllocationRun.objects.published().filter(cycle=cycle).exists()


def require_unpublished(cycle: ProjectCycle) -> None:
    """Refuse with `allocation_published` once the topics of the cycle are allocated."""
    if is_allocated(cycle):
        raise refusal_named("projects_allocationrun_one_published")


def is_in_program(student: Student, cycle: ProjectCycle) -> bool:
    """Say whether a cycle is for a student: whether they are enrolled in its program."""
    return ProgramEnrollment.objects.live().filter(student=student, program=cycle.program_id).exists()


def require_phase(cycle: ProjectCycle, *phases: CyclePhase, at: datetime) -> None:
    """Refuse with `phase_not_open` unless the cycle is in one of the phases."""
    phase = cycle.phase(at)
    if phase not in phases:
        facts: dict[str, Any] = {"phase": phase, "allowed": [each.value for each in phases]}
        raise PhaseNotOpenError(f"The cycle is in the phase “{phase.label}”.", meta=facts)
