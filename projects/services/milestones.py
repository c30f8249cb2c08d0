"""What is due in final projects: planned for one or for all of a cycle, reached, and accepted or returned."""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction

from core import crud
from core.db.constraints import refusal, refusing
from core.db.locks import lock_named
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.steps import Steps
from core.visibility import Actor
from projects.models import (
    FinalYearProject,
    Milestone,
    MilestoneEvent,
    MilestoneStatus,
    PlannedMilestone,
    ProjectCycle,
)
from projects.selectors import people_who_do
from projects.services.cycles import require_no_part

TRANSITIONS: dict[str, set[str]] = {
    MilestoneStatus.PLANNED: {MilestoneStatus.SUBMITTED},
    MilestoneStatus.SUBMITTED: {MilestoneStatus.ACCEPTED, MilestoneStatus.RETURNED},
    MilestoneStatus.RETURNED: {MilestoneStatus.SUBMITTED},
    MilestoneStatus.ACCEPTED: set(),
}
# In these nobody has handed in what they want to be judged.
OPEN = (MilestoneStatus.PLANNED, MilestoneStatus.RETURNED)


class DueValues(TypedDict, total=False):
    kind: str
    title: str
    due_at: datetime
    weight: Decimal


class NewMilestoneValues(DueValues, total=False):
    project: FinalYearProject


class NewPlannedMilestoneValues(DueValues, total=False):
    cycle: ProjectCycle


class MilestoneTransitionError(ConflictError):
    """How far a milestone is does not allow this step."""

    code = "milestone_transition"
    title = "The milestone cannot take this step."
    field = "status"


class MilestoneNotOpenError(ConflictError):
    """What is due would be changed after it was handed in."""

    code = "milestone_not_open"
    title = "The milestone was submitted or accepted; what is due is not changed any more."
    field = "status"


class MilestoneOutOfCycleError(InvalidError):
    """Something would be due before topics are allocated, or after the cycle is over."""

    code = "milestone_out_of_cycle"
    title = "What is due is due between the end of preferences and the end of the cycle."
    field = "due_at"


class CycleHoldsMilestonesError(ConflictError):
    """The time of a cycle would be changed so that something is due outside it."""

    code = "cycle_holds_milestones"
    title = "Something is due in the cycle that would be outside its time."


class WeightsExceededError(ConflictError):
    """All that is due in a project would weigh more than the project."""

    code = "weights_exceeded"
    title = "The milestones of a project weigh 100 per cent together at most."
    field = "weight"


class OwnMilestoneError(ForbiddenError):
    """Whoever does a project would say what is due in it, or judge what they did."""

    code = "self_approval"
    title = "Nobody plans what is due in their own project, or judges it."


refusal("projects_milestone_within_cycle", MilestoneOutOfCycleError)
refusal("projects_plannedmilestone_within_cycle", MilestoneOutOfCycleError)
refusal("projects_projectcycle_holds_milestones", CycleHoldsMilestonesError)
refusal("projects_milestone_weights_within_whole", WeightsExceededError)

STEPS = Steps("A milestone that is", TRANSITIONS, MilestoneTransitionError, MilestoneEvent, "milestone")


@transaction.atomic
def plan_milestone(*, by: Actor | None, **values: Unpack[NewPlannedMilestoneValues]) -> PlannedMilestone:
    """Plan what is due in all projects of a cycle.

    Refused with `milestone_taken` or `milestone_out_of_cycle`, and with `self_approval` to whoever takes part in it.
    """
    planned = crud.create(PlannedMilestone, values)
    require_no_part(by, planned.cycle)
    return planned


def update_planned_milestone(
    planned: PlannedMilestone, *, by: Actor | None, **changes: Unpack[DueValues]
) -> PlannedMilestone:
    """Change what is planned; what projects were given of it stays as it is. Refused as the planning is."""
    require_no_part(by, planned.cycle)
    return crud.update(planned, changes)


def delete_planned_milestone(planned: PlannedMilestone, *, by: Actor | None) -> None:
    """Plan something no more; the projects keep what they were given. Refused with `self_approval`."""
    require_no_part(by, planned.cycle)
    crud.delete(planned)


@transaction.atomic
def apply_planned_milestone(planned: PlannedMilestone, *, by: Actor | None, at: datetime) -> PlannedMilestone:
    """Give what is planned to every project of the cycle that has nothing of this title: again, to those begun since.

    Refused with `weights_exceeded` for all of them, where it would be for one, and with `self_approval`.
    """
    require_no_part(by, planned.cycle)
    lock_named("projects.milestones", str(planned.cycle_id))
    given_already = Milestone.objects.filter(title=planned.title).values("project")
    lacking = FinalYearProject.objects.filter(cycle=planned.cycle_id).exclude(pk__in=given_already)
    facts: dict[str, Any] = {name: getattr(planned, name) for name in ("kind", "title", "due_at", "weight")}
    given = [Milestone(project=project, planned=planned, **facts) for project in lacking.order_by("pk")]
    step: dict[str, Any] = {"to_status": MilestoneStatus.PLANNED, "actor_id": by.pk if by else None, "happened_at": at}
    with refusing():
        Milestone.objects.bulk_create(given)
        MilestoneEvent.objects.bulk_create(MilestoneEvent(milestone=milestone, **step) for milestone in given)
    return planned


@transaction.atomic
def create_milestone(*, by: Actor | None, at: datetime, **values: Unpack[NewMilestoneValues]) -> Milestone:
    """Say what is due in a project.

    Refused with `milestone_taken`, `milestone_out_of_cycle`, `weights_exceeded`, and with `self_approval` to whoever
    does the project.
    """
    may_not_be_same(by, OwnMilestoneError, people=people_who_do(values.get("project")))
    milestone = crud.create(Milestone, values)
    STEPS.record(milestone, "", by=by, at=at)
    return milestone


def update_milestone(milestone: Milestone, *, by: Actor | None, **changes: Unpack[DueValues]) -> Milestone:
    """Change what is due; an extension that ends no later than the new time is over.

    Refused with `milestone_not_open` once it was handed in, and as the creation is.
    """
    may_not_be_same(by, OwnMilestoneError, people=people_who_do(milestone.project))
    require_open(milestone)
    due_at, extended = changes.get("due_at", milestone.due_at), milestone.extended_until
    over = {"extended_until": None} if extended is not None and extended <= due_at else {}
    return crud.update(milestone, {**changes, **over})


def delete_milestone(milestone: Milestone, *, by: Actor | None) -> None:
    """Delete what is due by mistake; refused with `milestone_not_open` or `in_use` once somebody worked on it."""
    may_not_be_same(by, OwnMilestoneError, people=people_who_do(milestone.project))
    if milestone.status != MilestoneStatus.PLANNED:
        raise MilestoneNotOpenError
    crud.delete(milestone)


@transaction.atomic
def accept_milestone(milestone: Milestone, *, by: Actor | None, at: datetime, feedback: str = "") -> Milestone:
    """Accept the last version of what was submitted.

    Refused with `milestone_transition`, and with `self_approval` to whoever did it.
    """
    return _judge(milestone, MilestoneStatus.ACCEPTED, by=by, at=at, feedback=feedback)


@transaction.atomic
def return_milestone(milestone: Milestone, *, by: Actor | None, at: datetime, feedback: str) -> Milestone:
    """Give back what was submitted, to be done better; refused as accepting is."""
    return _judge(milestone, MilestoneStatus.RETURNED, by=by, at=at, feedback=feedback)


def require_open(milestone: Milestone) -> None:
    """Refuse with `milestone_not_open` what was handed in and not returned."""
    if milestone.status not in OPEN:
        raise MilestoneNotOpenError


def _judge(
    milestone: Milestone, status: MilestoneStatus, *, by: Actor | None, at: datetime, feedback: str
) -> Milestone:
    may_not_be_same(by, OwnMilestoneError, people=people_who_do(milestone.project))
    STEPS.take(milestone, status, by=by, at=at, reason=feedback)
    latest = milestone.submissions.order_by("-version_no").first()
    if latest is not None:
        said = {"decision": status.value, "feedback": feedback, "decided_by": by, "decided_at": at}
        crud.update(latest, said)
    return milestone
