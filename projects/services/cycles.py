"""What changes cycles, and how many anybody takes in them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction

from core import crud
from core.db.constraints import refusal
from core.errors import ConflictError, InUseError
from core.visibility import Actor
from departments.models import AcademicYear, Program
from faculty.models import Faculty
from projects.models import CyclePhase, ProjectCycle, SupervisorCapacity


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


refusal("projects_supervisorcapacity_not_exceeded", QuotaExceededError)
# Somebody of whom it is not said takes none.
refusal("projects_projectmember_capacity_said", QuotaExceededError)


def create_cycle(*, by: Actor | None, **values: Unpack[CycleValues]) -> ProjectCycle:
    """Plan the final projects of a program in a year.

    Refused with `cycle_taken`, `phases_out_of_turn`, `group_size_out_of_range` or `pass_marks_out_of_order`.
    """
    return crud.create(ProjectCycle, values)


def update_cycle(cycle: ProjectCycle, *, by: Actor | None, **changes: Unpack[CycleValues]) -> ProjectCycle:
    """Change a cycle; refused as its creation is. The program and the year of a cycle are final."""
    return crud.update(cycle, changes)


def delete_cycle(cycle: ProjectCycle, *, by: Actor | None) -> None:
    """Delete a cycle in which there is nothing yet; refused with `in_use` otherwise."""
    crud.delete(cycle)


def set_capacity(*, by: Actor | None, **values: Unpack[NewCapacityValues]) -> SupervisorCapacity:
    """Say how many a member of faculty takes in a cycle; refused with `capacity_taken` where it is said already."""
    return crud.create(SupervisorCapacity, values)


def update_capacity(
    capacity: SupervisorCapacity, *, by: Actor | None, **changes: Unpack[CapacityValues]
) -> SupervisorCapacity:
    """Let a member of faculty take more or fewer; refused with `quota_exceeded` below what they have taken."""
    # Whoever is taken on meanwhile locks the row, and counts no version: the constraint judges what is there then.
    return crud.update(capacity, changes)


@transaction.atomic
def delete_capacity(capacity: SupervisorCapacity, *, by: Actor | None) -> None:
    """Let a member of faculty take nobody in a cycle; refused with `in_use` while they have."""
    # Whoever is taken on meanwhile locks the row as well. What it counts would be forgotten with it.
    for held in SupervisorCapacity.objects.select_for_update().filter(pk=capacity.pk):
        if held.used_count:
            raise InUseError(meta={"used": held.used_count})
    crud.delete(capacity)


def require_phase(cycle: ProjectCycle, *phases: CyclePhase, at: datetime) -> None:
    """Refuse with `phase_not_open` unless the cycle is in one of the phases."""
    phase = cycle.phase(at)
    if phase not in phases:
        facts: dict[str, Any] = {"phase": phase, "allowed": [each.value for each in phases]}
        raise PhaseNotOpenError(f"The cycle is in the phase “{phase.label}”.", meta=facts)
