"""The final projects of a side: a cycle that is asked of, and one whose topics are being allocated."""

from types import SimpleNamespace
from typing import Any

from django.db.models import Model
from django.utils import timezone

from projects.models import (
    AllocationOutcome,
    AllocationRun,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
    Topic,
)
from tests.departments.factories import AcademicYearFactory
from tests.projects.cycle_factories import (
    AllocationOutcomeFactory,
    AllocationRunFactory,
    FinalYearProjectFactory,
    ProjectApplicationFactory,
    ProjectCycleFactory,
    ProjectMemberFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    TopicPreferenceFactory,
    in_phase,
)

MODELS = {
    ProjectCycle: "cycle", SupervisorCapacity: "capacity", Topic: "thesis", ProjectApplication: "application",
    AllocationRun: "allocation", AllocationOutcome: "outcome", ProjectMember: "member",
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
    side.member = ProjectMemberFactory(project=project, student=side.student)
    side.allocation = AllocationRunFactory(cycle=side.running)
    side.outcome = AllocationOutcomeFactory(run__cycle=over, student=side.student)
    AllocationRun.objects.filter(pk=side.outcome.run_id).update(published_at=timezone.now())


def rows_of(own: SimpleNamespace, other: SimpleNamespace, targets: tuple[str, str]) -> dict[type[Model], Any]:
    """Say which row of each model is whose."""
    return {
        model: dict(zip(targets, (getattr(own, name), getattr(other, name)), strict=True))
        for model, name in MODELS.items()
    }


def new_cycle(side: Any) -> dict[str, Any]:
    instants = {name: at.isoformat() for name, at in in_phase("planned").items()}
    return {"program": side.program, "academic_year": side.free_year, "name": "Novelties", **instants}
