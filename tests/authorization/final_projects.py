"""The final projects of a side: a cycle that is asked of, and one whose topics are being allocated."""

from types import SimpleNamespace
from typing import Any

from django.db.models import Model
from django.utils import timezone

from projects.models import (
    AllocationOutcome,
    AllocationRun,
    ExtensionRequest,
    LogEntry,
    Milestone,
    MilestoneEvent,
    PlannedMilestone,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    Submission,
    SupervisorCapacity,
    Topic,
)
from tests.departments.factories import AcademicYearFactory
from tests.projects.cycle_factories import (
    DAY,
    AllocationOutcomeFactory,
    AllocationRunFactory,
    ExtensionRequestFactory,
    FinalYearProjectFactory,
    LogEntryFactory,
    MilestoneFactory,
    PlannedMilestoneFactory,
    ProjectApplicationFactory,
    ProjectCycleFactory,
    ProjectMemberFactory,
    SubmissionFileFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    TopicPreferenceFactory,
    in_phase,
)

MODELS = {
    ProjectCycle: "cycle", SupervisorCapacity: "capacity", Topic: "thesis", ProjectApplication: "application",
    AllocationRun: "allocation", AllocationOutcome: "outcome", ProjectMember: "member",
    PlannedMilestone: "plan", Milestone: "milestone", MilestoneEvent: "milestone_step", ExtensionRequest: "extension",
    Submission: "submission", LogEntry: "meeting_note",
}  # fmt: skip


def settle(side: SimpleNamespace) -> None:
    """Let a side have final projects."""
    years = [AcademicYearFactory(code=f"{name}{side.letter}") for name in ("NEXT", "LAST", "FREE")]
    side.free_year = years[2]
    side.cycle = ProjectCycleFactory(program=side.program, academic_year=side.year)
    side.running, over = (
        ProjectCycleFactory(program=side.program, academic_year=year, phase=phase)
        for year, phase in zip(years, ("work", "over"), strict=False)
    )
    side.capacity = SupervisorCapacityFactory(cycle=side.cycle, faculty=side.faculty)
    side.thesis, side.unasked = (TopicFactory(cycle=side.cycle, supervisor=side.faculty) for _ in range(2))
    side.application = ProjectApplicationFactory(cycle=side.cycle, student=side.student)
    TopicPreferenceFactory(application=side.application, topic=side.thesis)
    SupervisorCapacityFactory(cycle=side.running, faculty=side.faculty)
    project = FinalYearProjectFactory(
        cycle=side.running, supervisor=side.faculty, project__owner=side.student_user, code=f"P9900{ord(side.letter)}"
    )
    side.member = ProjectMemberFactory(project=project, student=side.student, contribution=50)
    _plan(side)
    side.allocation = AllocationRunFactory(cycle=side.running)
    side.outcome = AllocationOutcomeFactory(run__cycle=over, student=side.student)
    AllocationRun.objects.filter(pk=side.outcome.run_id).update(published_at=timezone.now())


def _plan(side: SimpleNamespace) -> None:
    """Let something be due in the project of a side, and somebody ask for more time."""
    side.plan = PlannedMilestoneFactory(cycle=side.running)
    side.milestone, late = (MilestoneFactory(project=side.member.project) for _ in range(2))
    side.milestone_step = MilestoneEvent.objects.create(
        milestone=side.milestone, to_status="planned", happened_at=timezone.now(), reason="So it was agreed"
    )
    side.meeting_note = LogEntryFactory(project=side.member.project, written_by=side.student_user)
    side.submission = SubmissionFileFactory(submission__milestone=late).submission
    side.extension = ExtensionRequestFactory(milestone=late, requested_by=side.student_user)


def rows_of(own: SimpleNamespace, other: SimpleNamespace, targets: tuple[str, str]) -> dict[type[Model], Any]:
    """Say which row of each model is whose."""
    return {
        model: dict(zip(targets, (getattr(own, name), getattr(other, name)), strict=True))
        for model, name in MODELS.items()
    }


def due(**whose: Any) -> dict[str, Any]:
    return {**whose, "kind": "other", "title": "Novelties", "due_at": (timezone.now() + DAY).isoformat()}


def more_time(side: Any) -> dict[str, Any]:
    until = side.milestone.due_at + DAY
    return {"milestone": side.milestone, "until": until.isoformat(), "reason": "A laboratory that is closed"}


def said(side: Any) -> dict[str, Any]:
    met_at = (timezone.now() - 2 * DAY).isoformat()
    return {"project": side.member.project, "met_at": met_at, "minutes": 20, "summary": "Which sources to read"}


def new_cycle(side: Any) -> dict[str, Any]:
    instants = {name: at.isoformat() for name, at in in_phase("planned").items()}
    return {"program": side.program, "academic_year": side.free_year, "name": "Novelties", **instants}
