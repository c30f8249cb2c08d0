"""Who sees and manages which rows: of models that no route lists, and by roles held otherwise than usual.

A route asks for a permission before it asks which rows are in sight, so whoever lacks it tells nothing of
a rule. Here the rules are asked as they are, by somebody who holds a single role and is one person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import FactorKind, FederatedIdentity, Person, RoleAssignment, SecondFactor, Session, User
from accounts.roles import Role, ScopeKind
from attendance.models import (
    CalendarFeed,
    CheckInEvent,
    ClassSession,
    Condonation,
    ExcuseRequest,
    Roster,
    Substitution,
    SubstitutionOffer,
)
from core import crud
from core.models import CustomField
from core.visibility import visible
from courses.models import (
    Course,
    CourseVersion,
    MeetingSection,
    RequisiteCourse,
    Section,
    SectionInstructor,
    SectionStatusEvent,
)
from departments.models import Department, TermStateEvent
from enrollment.models import Enrollment
from faculty.models import Faculty, FacultyAppointment, FacultyStatusEvent
from files.models import FileAsset, FileLink
from files.services import attach_file
from interop.models import ImportJob, ImportJobEvent
from notifications.models import Notification, Preference, QuietHours, WebhookDelivery, WebhookEndpoint
from projects.models import (
    ExtensionRequest,
    FinalYearProject,
    LogEntry,
    Milestone,
    MilestoneEvent,
    PlannedMilestone,
    Project,
    ProjectMember,
    Submission,
)
from students.models import Student
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.attendance.factories import CalendarFeedFactory
from tests.authorization.final_projects import MODELS as OF_FINAL_PROJECTS
from tests.authorization.world import OTHER, OWN, World
from tests.files.contents import uploaded
from tests.notifications.factories import (
    NotificationFactory,
    PreferenceFactory,
    QuietHoursFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)

OURS, BOTH, NEITHER = (OWN,), (OWN, OTHER), ()
DEPARTMENT, PROGRAM, SECTION, SELF = ScopeKind.DEPARTMENT, ScopeKind.PROGRAM, ScopeKind.SECTION, ScopeKind.SELF
# A role that sees nothing but the shape of the university: what else its holder sees is theirs.
PLAIN = Role.EXAMINER


@dataclass(frozen=True)
class Case:
    """Somebody with a role within a scope of the own side, and which rows of a model are open to them."""

    model: Any
    role: Role
    scope: ScopeKind = ScopeKind.INSTITUTION
    person: Callable[[Any], Person] | None = None
    view: tuple[str, ...] = NEITHER
    manage: tuple[str, ...] = NEITHER
    # The model of the record to which a file belongs, or which tells what kind of project it is.
    of: Any = None

    def __str__(self) -> str:
        what = f"{self.of.__name__}'s {self.model.__name__}" if self.of else self.model.__name__
        return f"{self.role.value} ({self.scope.value}{', in person' if self.person else ''}) {what}"


def student(side: Any) -> Person:
    person: Person = side.student.person
    return person


def teacher(side: Any) -> Person:
    person: Person = side.faculty.person
    return person


def classmate(side: Any) -> Person:
    person: Person = side.classmate.person
    return person


def newcomer(side: Any) -> Person:
    person: Person = side.newcomer.person
    return person


CASES = [
    *(
        Case(model, PLAIN, view=BOTH)
        for model in (MeetingSection, RequisiteCourse, SectionInstructor, SectionStatusEvent, TermStateEvent)
    ),
    Case(Person, PLAIN, person=student, view=OURS),
    Case(Person, Role.SYSTEM_ADMIN, view=BOTH, manage=BOTH),
    Case(User, PLAIN, person=student, view=OURS),
    Case(RoleAssignment, PLAIN, person=student, view=OURS),
    Case(Session, Role.SYSTEM_ADMIN, view=BOTH, manage=BOTH),
    Case(SecondFactor, PLAIN, person=student, view=OURS),
    Case(FederatedIdentity, PLAIN, person=student, view=OURS),
    Case(CourseVersion, Role.REGISTRAR, view=BOTH, manage=BOTH),
    Case(CourseVersion, Role.DEPARTMENT_HEAD, DEPARTMENT, view=BOTH, manage=OURS),
    Case(Section, Role.DEPARTMENT_HEAD, SECTION, view=BOTH, manage=OURS),
    Case(Student, Role.REGISTRAR, PROGRAM, view=OURS, manage=OURS),
    Case(Enrollment, Role.EXAM_CONTROLLER, PROGRAM, view=OURS),
    Case(Enrollment, PLAIN, person=student, view=OURS),
    # Somebody who substitutes in a class of the own side.
    Case(Roster, PLAIN, person=newcomer, view=OURS, manage=OURS),
    Case(CheckInEvent, PLAIN, person=newcomer, view=OURS, manage=OURS),
    # What they proposed: for themselves, or while they were in charge.
    Case(Substitution, PLAIN, person=teacher, view=OURS, manage=OURS),
    Case(Substitution, PLAIN, person=student, view=OURS),
    Case(SubstitutionOffer, PLAIN, person=student, view=OURS, manage=OURS),
    Case(Faculty, PLAIN, person=teacher, view=OURS),
    Case(FacultyAppointment, PLAIN, person=teacher, view=OURS),
    Case(FacultyStatusEvent, PLAIN, person=teacher, view=OURS),
    # Files of records by whoever sees the records; those of none, and of those out of sight, by who answers for files.
    *(Case(FileAsset, PLAIN, view=BOTH, of=model) for model in (Department, Course, Section)),
    Case(FileAsset, Role.EXAM_CONTROLLER, PROGRAM, view=OURS, of=Student),
    Case(FileAsset, Role.HR_OFFICER, DEPARTMENT, view=BOTH, of=Faculty),
    Case(FileAsset, Role.STUDENT, SELF, person=student, view=OURS, of=ExcuseRequest),
    Case(FileAsset, Role.STUDENT, SELF, person=student, view=OURS, of=Condonation),
    Case(FileAsset, Role.EXAM_CONTROLLER, view=BOTH, of=Condonation),
    Case(FileAsset, PLAIN),
    Case(FileAsset, Role.AUDITOR, view=BOTH),
    Case(FileAsset, Role.STUDENT, SELF, person=student, view=OURS, of=Project),
    # One that is attached, where no field refers to it.
    Case(FileAsset, Role.STUDENT, SELF, person=student, view=OURS, of=FileLink),
    # What people work on is theirs, and nobody's who is in charge of them.
    Case(Project, PLAIN, person=student, view=OURS, manage=OURS),
    Case(Project, Role.REGISTRAR),
    Case(Project, Role.AUDITOR, view=BOTH),
    Case(Project, Role.SYSTEM_ADMIN, view=BOTH, manage=BOTH),
    # Final projects besides by who does one without owning it, who supervises it, and who plans its cycle.
    *(
        Case(model, role, scope, person, view=OURS, manage=manage, of=of)
        for model, of, planned in ((Project, FinalYearProject, NEITHER), (FinalYearProject, None, OURS))
        for role, scope, person, manage in (
            (PLAIN, ScopeKind.INSTITUTION, classmate, NEITHER),
            (PLAIN, ScopeKind.INSTITUTION, teacher, NEITHER),
            (Role.PROGRAM_COORDINATOR, PROGRAM, None, planned),
        )
    ),
    # Who only looks on: whoever plans a cycle sees by that alone what comes of it.
    Case(FinalYearProject, Role.FACULTY, DEPARTMENT, view=OURS),
    # What is due in them by both sides besides, and by who did one and left, who does nothing more.
    Case(PlannedMilestone, PLAIN, view=BOTH),
    Case(PlannedMilestone, Role.PROGRAM_COORDINATOR, PROGRAM, view=BOTH, manage=OURS),
    *(
        Case(model, role, scope, person, view=view, manage=manage)
        for model, sides in (
            *((model, OURS) for model in (Milestone, ExtensionRequest, LogEntry)),
            *((model, NEITHER) for model in (MilestoneEvent, Submission)),
        )
        for role, scope, person, view, manage in (
            (PLAIN, ScopeKind.INSTITUTION, student, OURS, sides),
            (PLAIN, ScopeKind.INSTITUTION, teacher, OURS, sides),
            (PLAIN, ScopeKind.INSTITUTION, classmate, OURS, NEITHER),
            (Role.PROGRAM_COORDINATOR, PROGRAM, None, OURS, sides),
            (Role.AUDITOR, ScopeKind.INSTITUTION, None, BOTH, NEITHER),
        )
    ),
    Case(FileAsset, Role.FACULTY, SELF, person=teacher, view=OURS, of=Submission),
    Case(FileAsset, Role.STUDENT, SELF, person=student, view=OURS, of=Submission),
    Case(FileAsset, PLAIN, person=student, of=Submission),
    # Who has left a project sees themselves, and who does it sees that they did.
    Case(ProjectMember, PLAIN, person=student, view=OURS),
    Case(ProjectMember, PLAIN, person=classmate, view=OURS),
    # What somebody was told is not even an administrator's to read.
    Case(Notification, PLAIN, person=student, view=OURS, manage=OURS),
    *(Case(Notification, role) for role in (Role.SYSTEM_ADMIN, Role.AUDITOR, Role.REGISTRAR)),
    *(Case(model, PLAIN, person=student, view=OURS) for model in (Preference, QuietHours)),
    *(Case(model, Role.SYSTEM_ADMIN) for model in (Preference, QuietHours)),
    # Whose calendar is fed is told to those in charge alone; one's own feed is no list.
    Case(CalendarFeed, PLAIN, person=student),
    Case(CalendarFeed, Role.REGISTRAR, view=BOTH, manage=BOTH),
    Case(CalendarFeed, Role.AUDITOR, view=BOTH),
    *(Case(model, PLAIN, person=student, view=OURS, manage=OURS) for model in (WebhookEndpoint, WebhookDelivery)),
    *(Case(model, Role.AUDITOR, view=BOTH) for model in (WebhookEndpoint, WebhookDelivery)),
    *(Case(model, Role.SYSTEM_ADMIN, view=BOTH, manage=BOTH) for model in (WebhookEndpoint, WebhookDelivery)),
    Case(ImportJob, PLAIN, person=student, view=OURS, manage=OURS),
    Case(ImportJobEvent, PLAIN, person=student, view=OURS),
]


def beside_who_left(model: Any) -> Callable[[Any], Any]:
    """Return how to find the row of a side, in the project of which a classmate was a member."""

    def row(side: Any) -> Any:
        ProjectMember.objects.create(
            project=side.member.project, cycle=side.running, supervisor=side.faculty, student=side.classmate,
            is_active=False,
        )  # fmt: skip
        return getattr(side, OF_FINAL_PROJECTS[model])

    return row


def _left(side: Any) -> ProjectMember:
    """Return the membership of somebody who has left a project, which a classmate goes on with."""
    ProjectMember.objects.filter(pk=side.member.pk).update(is_active=False)
    ROWS[FinalYearProject](side)
    return ProjectMember.objects.get(pk=side.member.pk)


ROWS: dict[Any, Callable[[Any], Any]] = {
    **{model: beside_who_left(model) for model in (Milestone, MilestoneEvent, ExtensionRequest, Submission, LogEntry)},
    CalendarFeed: lambda side: CalendarFeedFactory(user=side.student_user),
    FileAsset: lambda side: uploaded(UserFactory(), name=f"{side.letter}.png"),
    Notification: lambda side: NotificationFactory(recipient=side.student_user),
    WebhookEndpoint: lambda side: WebhookEndpointFactory(owner=side.student_user),
    WebhookDelivery: lambda side: WebhookDeliveryFactory(endpoint__owner=side.student_user),
    Preference: lambda side: PreferenceFactory(user=side.student_user),
    QuietHours: lambda side: QuietHoursFactory(user=side.student_user),
    MeetingSection: lambda side: MeetingSection.objects.get(meeting=side.meeting),
    SectionInstructor: lambda side: SectionInstructor.objects.get(section=side.section),
    FacultyAppointment: lambda side: FacultyAppointment.objects.filter(faculty=side.faculty)[0],
    FacultyStatusEvent: lambda side: FacultyStatusEvent.objects.filter(faculty=side.faculty)[0],
    RequisiteCourse: lambda side: RequisiteCourse.objects.create(requisite=side.requisite, course=side.other_course),
    SectionStatusEvent: lambda side: SectionStatusEvent.objects.create(
        section=side.section, from_status="open", to_status="closed", happened_at=timezone.now()
    ),
    FinalYearProject: lambda side: (
        ProjectMember.objects.create(
            project=side.member.project, cycle=side.running, supervisor=side.faculty, student=side.classmate
        ).project
    ),
    ProjectMember: _left,
    SecondFactor: lambda side: SecondFactor.objects.create(user=side.student_user, kind=FactorKind.APP, secret="none"),
    FederatedIdentity: lambda side: FederatedIdentity.objects.create(
        user=side.student_user, issuer="https://id.example.org", subject=side.letter
    ),
    TermStateEvent: lambda side: TermStateEvent.objects.create(
        term=side.term, from_state="planning", to_state="registration", happened_at=timezone.now()
    ),
}


def faults(case: Case, world: World) -> Iterator[str]:
    """Say where the rows that are open to somebody are other than expected."""
    with transaction.atomic():
        user = somebody(case, world)
        rows = {target: row_of(case, world, target, user) for target in BOTH}
        for sight in ("view", "manage"):
            opened = visible(case.model._base_manager.all(), user, to=sight)
            found = tuple(target for target, row in rows.items() if opened.filter(pk=row.pk).exists())
            if found != getattr(case, sight):
                yield f"{case}: {sight} opens {found} instead of {getattr(case, sight)}"
        transaction.set_rollback(True)


def somebody(case: Case, world: World) -> User:
    """Return the user of a case, who holds nothing but its role."""
    own = world.sides[OWN]
    person = case.person(own) if case.person else None
    found = User.objects.filter(person=person).first() if person else None
    user: User = found or UserFactory(email="somebody-else@example.org", person=person)
    if case.model is not RoleAssignment:
        RoleAssignment.objects.filter(user=user).delete()
    scope = {DEPARTMENT: own.department, PROGRAM: own.program, SECTION: own.section}.get(case.scope)
    RoleAssignmentFactory(user=user, role=case.role, scope_kind=case.scope, scope_id=scope and scope.pk)
    return User.objects.get(pk=user.pk)


def row_of(case: Case, world: World, target: str, user: User) -> Any:
    """Return the row of the model on a side; imports of the own side are those of the user."""
    if case.of:
        return told_by(case, world, target)
    if case.model in (Substitution, SubstitutionOffer) and target == OWN:
        case.model.objects.filter(pk=world.row(case.model, OWN).pk).update(proposed_by=user)
    if case.model in (Roster, CheckInEvent):
        side = world.sides[target]
        ClassSession.objects.filter(pk=side.session.pk).update(substitute=side.newcomer)
    if case.model in ROWS:
        return ROWS[case.model](world.sides[target])
    if case.model not in (ImportJob, ImportJobEvent):
        return world.row(case.model, target)
    job = world.row(ImportJob, target)
    if target == OWN:
        ImportJob.objects.filter(pk=job.pk).update(actor=user)
    if case.model is ImportJob:
        return job
    steps = {"from_state": "validated", "to_state": "applied", "happened_at": timezone.now()}
    return ImportJobEvent.objects.create(job=job, **steps)


def told_by(case: Case, world: World, target: str) -> Any:
    """Return the project of a kind, or a file: that a field of a record refers to, or that a project has attached."""
    if case.model is Project:
        return ROWS[case.of](world.sides[target]).project
    if case.of is not FileLink:
        return file_of(world.row(case.of, target))
    asset = uploaded(UserFactory(), name="attached.png")
    attach_file(world.row(Project, target), asset, by=None)
    return asset


def file_of(record: Any) -> FileAsset:
    """Return a file that somebody else has uploaded, and that the record has, or a field of it refers to."""
    if isinstance(record, Submission):
        return record.files.get().asset
    of_kind = {"entity_type": record._meta.label_lower, "name": "proof", "label": "Proof", "field_type": "file"}
    CustomField.objects.get_or_create(**of_kind)
    asset = uploaded(UserFactory(), name="proof.png")
    # What the world has in its hands is left as it is: the transaction is rolled back.
    fresh = type(record)._base_manager.get(pk=record.pk)
    crud.update(fresh, {"custom_fields": {"proof": str(asset.pk)}})
    return asset
