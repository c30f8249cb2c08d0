"""The least valid cycles, with what is offered in them and wanted of them."""

from datetime import timedelta

import factory
from django.utils import timezone

from projects.models import (
    AllocationOutcome,
    AllocationRun,
    FinalYearProject,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
    Topic,
    TopicPreference,
)
from tests.departments.factories import AcademicYearFactory, ProgramFactory
from tests.faculty.factories import FacultyFactory
from tests.projects.factories import BareProjectFactory, WholeFactory
from tests.students.factories import StudentFactory

DAY = timedelta(days=1)
# Days from now on which a cycle begins each phase that is in this one.
BEGINS = {
    "planned": (1, 2, 3, 4, 5),
    "topics": (-1, 2, 3, 4, 5),
    "preferences": (-2, -1, 3, 4, 5),
    "work": (-3, -2, -1, 4, 5),
    "defences": (-4, -3, -2, -1, 5),
    "over": (-5, -4, -3, -2, -1),
}
INSTANTS = ("topics_open_at", "preferences_open_at", "preferences_close_at", "defences_open_at", "ends_at")


def in_phase(phase):
    """Return the instants of a cycle that is in a phase now."""
    now = timezone.now()
    return {name: now + days * DAY for name, days in zip(INSTANTS, BEGINS[phase], strict=True)}


class ProjectCycleFactory(factory.django.DjangoModelFactory):
    """A cycle in which students say what they prefer."""

    class Meta:
        model = ProjectCycle

    class Params:
        phase = "preferences"

    program = factory.SubFactory(ProgramFactory)
    academic_year = factory.SubFactory(AcademicYearFactory)
    name = factory.Sequence(lambda n: f"Final projects {n}")
    topics_open_at = factory.LazyAttribute(lambda row: in_phase(row.phase)["topics_open_at"])
    preferences_open_at = factory.LazyAttribute(lambda row: in_phase(row.phase)["preferences_open_at"])
    preferences_close_at = factory.LazyAttribute(lambda row: in_phase(row.phase)["preferences_close_at"])
    defences_open_at = factory.LazyAttribute(lambda row: in_phase(row.phase)["defences_open_at"])
    ends_at = factory.LazyAttribute(lambda row: in_phase(row.phase)["ends_at"])


class SupervisorCapacityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SupervisorCapacity

    cycle = factory.SubFactory(ProjectCycleFactory)
    faculty = factory.SubFactory(FacultyFactory)
    max_count = 3


class TopicFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Topic

    cycle = factory.SubFactory(ProjectCycleFactory)
    supervisor = factory.SubFactory(FacultyFactory)
    title_local = factory.Sequence(lambda n: f"Thema {n}")
    title_en = factory.Sequence(lambda n: f"Topic {n}")


class ProjectApplicationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProjectApplication

    cycle = factory.SubFactory(ProjectCycleFactory)
    student = factory.SubFactory(StudentFactory)


class TopicPreferenceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = TopicPreference

    application = factory.SubFactory(ProjectApplicationFactory)
    cycle = factory.SelfAttribute("application.cycle")
    topic = factory.SubFactory(TopicFactory, cycle=factory.SelfAttribute("..cycle"))
    rank = 1


class FinalYearProjectFactory(WholeFactory):
    """A final project whose supervisor takes some students."""

    class Meta:
        model = FinalYearProject

    class Params:
        capacity = 3

    project = factory.SubFactory(BareProjectFactory, project_type="final_year")
    code = factory.Sequence(lambda n: f"P99{n + 1:03}")
    cycle = factory.SubFactory(ProjectCycleFactory, phase="work")
    supervisor = factory.LazyAttribute(
        lambda row: SupervisorCapacityFactory(cycle=row.cycle, max_count=row.capacity).faculty
    )
    topic_local = factory.Sequence(lambda n: f"Arbeit {n}")


class ProjectMemberFactory(WholeFactory):
    class Meta:
        model = ProjectMember

    project = factory.SubFactory(FinalYearProjectFactory)
    cycle = factory.SelfAttribute("project.cycle")
    supervisor = factory.SelfAttribute("project.supervisor")
    student = factory.SubFactory(StudentFactory)


class AllocationRunFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AllocationRun

    cycle = factory.SubFactory(ProjectCycleFactory, phase="work")
    document = {"seed": "", "applicants": [], "offers": [], "supervisors": []}
    input_hash = "0" * 64
    students_count = 1
    placed_count = 0
    first_choices_count = 0
    proposals_count = 0


class AllocationOutcomeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AllocationOutcome

    run = factory.SubFactory(AllocationRunFactory)
    student = factory.SubFactory(StudentFactory)
