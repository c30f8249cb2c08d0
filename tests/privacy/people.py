"""Somebody about whom every classified table says something.

A model that is declared as personal needs a line in `ROWS`: how to make a row of it that is about `side.person`.
"""

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.db.models import Model
from django.utils import timezone

from accounts.models import (
    AccountMail,
    FederatedIdentity,
    PendingLogIn,
    Person,
    PersonIdentifier,
    RecoveryCode,
    RoleAssignment,
    SecondFactor,
    Session,
    User,
)
from attendance.models import (
    AttendanceRecord,
    AttendanceSummary,
    CalendarFeed,
    CheckInEvent,
    Condonation,
    CoveredMark,
    Credential,
    EligibilityDecision,
    ExcuseEvent,
    ExcuseRequest,
    OfflineMark,
    Punch,
    Substitution,
    SubstitutionEvent,
)
from audit.models import Change, Disclosure, Event
from audit.services import record
from core.ids import new_id
from core.models import CustomField, UniqueCustomValue
from core.privacy import declared
from courses.models import SectionInstructor
from departments.models import Appointment
from enrollment.models import Enrollment, EnrollmentEvent
from faculty.models import Faculty, FacultyAppointment, FacultyReservation, FacultyStatusEvent
from files.models import FileAsset, FileLink, FileUpload
from files.services import begin_upload
from interop.models import ExportJob, ExternalIdentifier, ImportedValue, ImportJob, ImportRow
from notifications.models import DeliveryAttempt, Notification, Preference, QuietHours
from privacy.models import ErasureRequest, LegalHold, SubjectExport
from projects.models import (
    AllocationOutcome,
    ExtensionRequest,
    FinalYearProject,
    ImportantDate,
    Milestone,
    MilestoneEvent,
    Project,
    ProjectApplication,
    ProjectMember,
    ProjectMeta,
    ProjectWords,
    SchoolProject,
    SelfStudyProject,
    Submission,
    SubmissionFile,
    SupervisorCapacity,
    Topic,
    TopicPreference,
)
from projects.models import LogEntry as SupervisionEntry
from students.models import GuardianLink, ProgramEnrollment, ProgramEnrollmentEvent, Student, StudentStatusEvent
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory
from tests.attendance.factories import (
    AttendanceRecordFactory,
    CalendarFeedFactory,
    CheckInEventFactory,
    CondonationFactory,
    CoveredMarkFactory,
    CredentialFactory,
    ExcuseRequestFactory,
    OfflineMarkFactory,
    PunchFactory,
    SubstitutionFactory,
)
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import DepartmentFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyAppointmentFactory, FacultyFactory
from tests.files.contents import uploaded
from tests.notifications.factories import (
    DeliveryAttemptFactory,
    PreferenceFactory,
    QuietHoursFactory,
)
from tests.projects.cycle_factories import (
    AllocationOutcomeFactory,
    ExtensionRequestFactory,
    FinalYearProjectFactory,
    LogEntryFactory,
    MilestoneFactory,
    ProjectMemberFactory,
    SubmissionFileFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    TopicPreferenceFactory,
)
from tests.projects.factories import (
    ImportantDateFactory,
    ProjectMetaFactory,
    SchoolProjectFactory,
    SelfStudyProjectFactory,
)
from tests.students.factories import GuardianLinkFactory, ProgramEnrollmentFactory, StudentFactory
from tests.texts.factories import DocumentFactory
from texts.models import Document

PASSPORT = "QX 7391 8264"


def _step(model: Any, **owner: Any) -> Any:
    steps = {"from_status": "active", "to_status": "active", "happened_at": timezone.now()}
    return model.objects.create(**owner, **steps, reason=f"{NAMES['last_name']} asked for it")


def _marked(side: Any) -> dict[str, Any]:
    """Say in which session somebody was marked, and by which enrolment they are expected there."""
    return {name: getattr(side.rows[AttendanceRecord], name) for name in ("session", "enrollment")}


def _reservation(side: Any) -> FacultyReservation:
    begins = timezone.now()
    return FacultyReservation.objects.create(
        faculty=side.faculty, slot=DateTimeTZRange(begins, begins + timedelta(hours=1)), kind="class",
        what="MATH101, lecture", source=new_id(),
    )  # fmt: skip


def _session(side: Any) -> Session:
    now, later = timezone.now(), timezone.now() + timedelta(days=1)
    return Session.objects.create(
        user=side.user, current_refresh_hash=new_id().bytes * 2, rotated_at=now, expires_at=later,
        absolute_expires_at=later, user_agent="Lovelace-Browser", ip="192.0.2.77",
    )  # fmt: skip


def _change(side: Any) -> Change:
    Person.objects.filter(pk=side.person.pk).update(phone="+43 1 5550 7391", preferred_name=NAMES["preferred_name"])
    return Change.objects.filter(row_id=str(side.person.pk), operation="update").latest("id")


def _project(side: Any) -> Project:
    """Return what somebody works on for a course: the same, whatever of it is asked for first."""
    if not hasattr(side, "project"):
        side.project = SchoolProjectFactory(
            project__owner=side.user,
            project__name=f"{NAMES['last_name']} builds",
            teacher_name=NAMES["preferred_name"],
        ).project
    found: Project = side.project
    return found


def _import_row(side: Any) -> ImportRow:
    job = ImportJob.objects.create(kind="students", file_name="students.csv", sha256=new_id().hex * 2)
    raw = {"last_name": NAMES["last_name"], "email": NAMES["email"]}
    return ImportRow.objects.create(
        job=job, position=1, file="students.csv", row_no=2, resource="students", action="create", raw=raw, values=raw,
        object_id=side.student.pk, natural_key=NAMES["email"], applied_at=timezone.now(), before={"created": True},
    )  # fmt: skip


NAMES = {
    "first_name": "Augustaada", "last_name": "Lovelacebyron", "preferred_name": "Countessada",
    "email": "ada.byron@canary.example", "phone": "+43 1 5550 1234", "birth_date": date(1815, 12, 10),
    "gender": "female", "nationality": "GB",
}  # fmt: skip

ROWS: dict[type[Model], Callable[[Any], Any]] = {
    Person: lambda side: side.person,
    PersonIdentifier: lambda side: PersonIdentifier.objects.create(
        person=side.person, scheme="passport", country="GB", value=side.passport
    ),
    User: lambda side: side.user,
    RoleAssignment: lambda side: RoleAssignmentFactory(user=side.user, role="student", scope_kind="self"),
    Session: _session,
    SecondFactor: lambda side: SecondFactor.objects.create(
        user=side.user, kind="totp", name=f"Phone of {NAMES['first_name']}", secret=PASSPORT
    ),
    RecoveryCode: lambda side: RecoveryCode.objects.create(user=side.user, code_hash=new_id().bytes * 2),
    PendingLogIn: lambda side: PendingLogIn.objects.create(
        user=side.user, token_hash=new_id().bytes * 2, token_version=1, amr=["pwd"], ip="192.0.2.77",
        expires_at=timezone.now(),
    ),
    FederatedIdentity: lambda side: FederatedIdentity.objects.create(
        user=side.user, issuer="https://login.example.org", subject=new_id().hex, email=NAMES["email"]
    ),
    AccountMail: lambda side: AccountMail.objects.create(
        user=side.user, kind="password_changed", address=NAMES["email"], email=NAMES["email"],
        requested_at=timezone.now(),
    ),
    LogEntry: lambda side: LogEntry.objects.create(
        user=UserFactory(), content_type=ContentType.objects.get_for_model(Person), object_id=str(side.person.pk),
        object_repr=f"{NAMES['preferred_name']} {NAMES['last_name']}", action_flag=CHANGE, change_message="Changed.",
    ),
    Appointment: lambda side: Appointment.objects.create(
        department=DepartmentFactory(), person=side.person, role="head", valid=DateRange(date(2020, 1, 1), None)
    ),
    Student: lambda side: side.student,
    StudentStatusEvent: lambda side: _step(StudentStatusEvent, student=side.student),
    GuardianLink: lambda side: GuardianLinkFactory(student=side.student),
    ProgramEnrollment: lambda side: ProgramEnrollmentFactory(student=side.student),
    ProgramEnrollmentEvent: lambda side: _step(
        ProgramEnrollmentEvent, program_enrollment=ProgramEnrollmentFactory(student=side.student)
    ),
    Faculty: lambda side: side.faculty,
    FacultyAppointment: lambda side: FacultyAppointmentFactory(faculty=side.faculty),
    FacultyStatusEvent: lambda side: _step(FacultyStatusEvent, faculty=side.faculty),
    FacultyReservation: _reservation,
    SectionInstructor: lambda side: SectionInstructorFactory(faculty=side.faculty),
    Enrollment: lambda side: side.rows[AttendanceRecord].enrollment,
    AttendanceRecord: lambda side: AttendanceRecordFactory(enrollment__student=side.student),
    AttendanceSummary: lambda side: AttendanceSummary.objects.get(enrollment__student=side.student),
    Condonation: lambda side: CondonationFactory(
        decision__enrollment=side.rows[AttendanceRecord].enrollment,
        decision__reason=f"{NAMES['last_name']} was in hospital",
        decision__note=f"A letter about {NAMES['first_name']}",
        custom_data={"letter": f"{NAMES['last_name']} was in hospital"},
    ),
    EligibilityDecision: lambda side: side.rows[Condonation].decision,
    CheckInEvent: lambda side: CheckInEventFactory(student=side.student),
    ExcuseEvent: lambda side: _step(
        ExcuseEvent, excuse=ExcuseRequestFactory(student=side.student, statement=f"{NAMES['last_name']} has measles")
    ),
    ExcuseRequest: lambda side: side.rows[ExcuseEvent].excuse,
    CoveredMark: lambda side: CoveredMarkFactory(**_marked(side)),
    OfflineMark: lambda side: OfflineMarkFactory(**_marked(side)),
    Punch: lambda side: PunchFactory(student=side.student),
    Credential: lambda side: CredentialFactory(student=side.student),
    Substitution: lambda side: SubstitutionFactory(
        substitute=side.faculty, reason=f"{NAMES['last_name']} knows it best"
    ),
    SubstitutionEvent: lambda side: _step(SubstitutionEvent, substitution=side.rows[Substitution]),
    EnrollmentEvent: lambda side: _step(EnrollmentEvent, enrollment=EnrollmentFactory(student=side.student)),
    ExternalIdentifier: lambda side: ExternalIdentifier.objects.create(
        scheme="oneroster", value=f"{side.person.pk}-elsewhere", entity_type="students.student",
        object_id=side.student.pk,
    ),
    ImportedValue: lambda side: ImportedValue.objects.create(
        entity_type="students.student", object_id=side.student.pk, values={"last_name": NAMES["last_name"]}
    ),
    ImportRow: _import_row,
    CalendarFeed: lambda side: CalendarFeedFactory(user=side.user),
    ImportJob: lambda side: ImportJob.objects.create(
        kind="students", file_name="mine.csv", sha256=new_id().hex * 2, actor=side.user
    ),
    Event: lambda side: record(action="session.opened", actor=side.user, subject=side.user),
    Disclosure: lambda side: Disclosure.objects.create(
        what="student record", subject_id=side.person.pk, basis="students.view_student", actor_label="r@example.org"
    ),
    Change: _change,
    UniqueCustomValue: lambda side: UniqueCustomValue.objects.create(
        field=CustomField.objects.create(
            entity_type="students.student", name=f"badge_{side.person.pk.hex[-10:]}", label="Badge", field_type="text"
        ),
        object_id=side.student.pk, digest=new_id().bytes * 2,
    ),
    FileAsset: lambda side: uploaded(side.user, name=f"{NAMES['last_name']}.png"),
    FileUpload: lambda side: begin_upload(by=side.user, name=f"{NAMES['last_name']}.txt", size=5),
    FileLink: lambda side: FileLink.objects.create(
        asset=side.rows[FileAsset], object_id=side.student.pk,
        custom_field=CustomField.objects.create(
            entity_type="students.student", name=f"photo_{side.person.pk.hex[-10:]}", label="P", field_type="file"
        ),
    ),
    ProjectMeta: lambda side: ProjectMetaFactory(project=_project(side), value={"by": NAMES["last_name"]}),
    ProjectWords: lambda side: _project(side).words,
    ImportantDate: lambda side: ImportantDateFactory(project=_project(side), title=f"{NAMES['last_name']} speaks"),
    SchoolProject: lambda side: _project(side).school_data,
    Project: _project,
    SelfStudyProject: lambda side: SelfStudyProjectFactory(
        project__owner=side.user, goal_description=f"{NAMES['last_name']} reads"
    ),
    ProjectApplication: lambda side: TopicPreferenceFactory(application__student=side.student).application,
    TopicPreference: lambda side: side.rows[ProjectApplication].preferences.get(),
    Topic: lambda side: TopicFactory(supervisor=side.faculty),
    SupervisorCapacity: lambda side: SupervisorCapacityFactory(faculty=side.faculty),
    FinalYearProject: lambda side: FinalYearProjectFactory(supervisor=side.faculty, project__owner=side.user),
    ProjectMember: lambda side: ProjectMemberFactory(student=side.student),
    AllocationOutcome: lambda side: AllocationOutcomeFactory(student=side.student),
    ExtensionRequest: lambda side: ExtensionRequestFactory(
        requested_by=side.user, reason=f"{NAMES['last_name']} has measles", answer=f"Get well, {NAMES['first_name']}"
    ),
    Milestone: lambda side: MilestoneFactory(project=side.rows[ProjectMember].project),
    MilestoneEvent: lambda side: _step(
        MilestoneEvent, milestone=MilestoneFactory(project=ProjectMemberFactory(student=side.student).project)
    ),
    SupervisionEntry: lambda side: LogEntryFactory(project=side.rows[ProjectMember].project),
    Submission: lambda side: SubmissionFileFactory(submission__milestone=side.rows[Milestone]).submission,
    SubmissionFile: lambda side: side.rows[Submission].files.get(),
    Notification: lambda side: side.rows[DeliveryAttempt].notification,
    DeliveryAttempt: lambda side: DeliveryAttemptFactory(notification__recipient=side.user),
    Preference: lambda side: PreferenceFactory(user=side.user),
    QuietHours: lambda side: QuietHoursFactory(user=side.user),
    Document: lambda side: DocumentFactory(authors=[side.person.pk], text=f"By {NAMES['last_name']}."),
    ErasureRequest: lambda side: ErasureRequest.objects.create(
        person=side.person, requested_by=UserFactory(), state="rejected", reason=f"{NAMES['email']} asked"
    ),
    LegalHold: lambda side: LegalHold.objects.create(
        person=side.person, reason=f"{NAMES['last_name']} against the university", placed_at=timezone.now(),
        released_at=timezone.now(),
    ),
    SubjectExport: lambda side: SubjectExport.objects.create(
        person=side.person, requested_by=side.user, state="failed", reason=f"About {NAMES['last_name']}"
    ),
    ExportJob: lambda side: ExportJob.objects.create(
        kind="attendance_shortages", requested_by=side.user, state="failed", filters={"search": NAMES["last_name"]}
    ),
}  # fmt: skip


def somebody(*, passport: str = PASSPORT, **names: Any) -> SimpleNamespace:
    """Make a person who studies, teaches and logs in, with a row in every table that is declared as personal."""
    person = PersonFactory(**{**NAMES, **names})
    side = SimpleNamespace(
        passport=passport, person=person, user=UserFactory(person=person, email=f"login-{person.email}")
    )
    side.student = StudentFactory(person=person, status="graduated", custom_data={"motto": NAMES["last_name"]})
    side.faculty = FacultyFactory(person=person, status="retired")
    side.rows = {}
    for each in declared():
        if each.model not in ROWS:
            raise AssertionError(
                f"Nobody knows a {each.model._meta.label} about somebody: add it to ROWS in tests/privacy/people.py."
            )
        side.rows[each.model] = ROWS[each.model](side)
    return side
