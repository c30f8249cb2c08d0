"""The least valid cycles, with what is offered in them and wanted of them."""

from datetime import timedelta

import factory
from django.utils import timezone

from files.models import FileAsset
from projects.models import (
    AllocationOutcome,
    AllocationRun,
    ExtensionRequest,
    FinalYearProject,
    LogEntry,
    Milestone,
    PlannedMilestone,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    Submission,
    SubmissionFile,
    SupervisorCapacity,
    Topic,
    TopicPreference,
)
from tests.accounts.factories import UserFactory
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


class PlannedMilestoneFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PlannedMilestone

    cycle = factory.SubFactory(ProjectCycleFactory, phase="work")
    kind = "proposal"
    title = factory.Sequence(lambda n: f"Plan {n}")
    due_at = factory.LazyFunction(lambda: timezone.now() + 2 * DAY)
    weight = 10


class MilestoneFactory(WholeFactory):
    """What is due in two days, in a cycle that is over in five."""

    class Meta:
        model = Milestone

    project = factory.SubFactory(FinalYearProjectFactory)
    kind = "proposal"
    title = factory.Sequence(lambda n: f"Milestone {n}")
    due_at = factory.LazyFunction(lambda: timezone.now() + 2 * DAY)
    weight = 10


class ExtensionRequestFactory(WholeFactory):
    class Meta:
        model = ExtensionRequest

    milestone = factory.SubFactory(MilestoneFactory)
    until = factory.LazyAttribute(lambda row: row.milestone.due_at + DAY)
    reason = "The laboratory is closed."


class FileAssetFactory(factory.django.DjangoModelFactory):
    """A file as the record of one: the store need not have its content."""

    class Meta:
        model = FileAsset

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"chapter{n}.pdf")
    media_type = "application/pdf"
    size = 100
    sha256 = factory.Sequence(lambda n: f"{n:064x}")


class SubmissionFactory(WholeFactory):
    """A version without files, handed in before it is due."""

    class Meta:
        model = Submission

    milestone = factory.SubFactory(MilestoneFactory)
    submitted_at = factory.LazyFunction(timezone.now)
    due_at = factory.SelfAttribute("milestone.due_at")

    @classmethod
    def _create(cls, model_class, *args, **values):
        row = super()._create(model_class, *args, **values)
        row.refresh_from_db()
        return row


class SubmissionFileFactory(WholeFactory):
    """The one file of a version."""

    class Meta:
        model = SubmissionFile

    submission = factory.SubFactory(SubmissionFactory, files_count=1)
    position = 1
    asset = factory.SubFactory(FileAssetFactory)


class LogEntryFactory(WholeFactory):
    class Meta:
        model = LogEntry

    project = factory.SubFactory(FinalYearProjectFactory)
    met_at = factory.LazyFunction(lambda: timezone.now() - DAY)
    minutes = 30
    summary = "Which sources to read next."
