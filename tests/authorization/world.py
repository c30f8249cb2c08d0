"""Two departments with everything in them, and the people who stand around the first.

Every kind of row comes as `own`, which the people of the cast have to do with, and as `other`, its
counterpart in a department with which they have nothing to do; some also as `archived`, a row of the
first department whose time is over. A resource of a model that is not here needs a line in `_rows`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.db.models import Model
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import (
    ApiKey,
    Person,
    PersonIdentifier,
    RoleAssignment,
    Session,
    User,
)
from accounts.roles import Role
from attendance.models import (
    AttendanceCode,
    AttendancePolicy,
    AttendanceRecord,
    AttendanceSummary,
    CheckInEvent,
    ClassSession,
    Condonation,
    Credential,
    DecisionRun,
    EligibilityDecision,
    ExcuseEvent,
    ExcuseRequest,
    Punch,
    Reader,
    Roster,
    SheetHistory,
    Standing,
    Substitution,
    SubstitutionEvent,
    SubstitutionOffer,
)
from audit.models import Disclosure, Event
from core.ids import new_id
from core.models import CustomField
from courses.models import Course, CourseVersion, Meeting, Requisite, Section
from departments.models import (
    AcademicYear,
    Appointment,
    Building,
    CalendarEvent,
    Campus,
    Department,
    Program,
    Room,
    RoomReservation,
    Term,
)
from directory.models import DirectoryEntry
from enrollment.models import Enrollment, EnrollmentEvent
from faculty.models import Faculty, FacultyStatusEvent
from files.models import FileAsset, FileLink, FileUpload
from files.services import attach_file, begin_upload
from interop.models import ExportJob, ImportJob, ImportRow
from notifications.models import Notification, WebhookDelivery, WebhookEndpoint
from privacy.models import ErasureRequest, LegalHold, SubjectExport
from projects.models import ImportantDate, Project
from students.models import GuardianLink, ProgramEnrollment, ProgramEnrollmentEvent, Student, StudentStatusEvent
from students.services import update_student
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory
from tests.accounts.keys import bare_key
from tests.attendance.factories import (
    AttendanceCodeFactory,
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    CheckInEventFactory,
    CondonationFactory,
    CredentialFactory,
    DecisionRunFactory,
    EligibilityDecisionFactory,
    PunchFactory,
    ReaderFactory,
)
from tests.authorization import final_projects
from tests.authorization.callers import app_of, client_of, identity_of, session_of, user_of
from tests.authorization.cast import cast
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    RequisiteFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import (
    AcademicYearFactory,
    BuildingFactory,
    CalendarEventFactory,
    CampusFactory,
    DepartmentFactory,
    ProgramFactory,
    RoomFactory,
    TermFactory,
)
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyAppointmentFactory, FacultyFactory
from tests.files.contents import uploaded
from tests.notifications.factories import NotificationFactory, WebhookDeliveryFactory
from tests.projects.factories import ImportantDateFactory, SelfStudyProjectFactory
from tests.students.factories import GuardianLinkFactory, ProgramEnrollmentFactory, StudentFactory

OWN, OTHER, ARCHIVED, MISSING = "own", "other", "archived", "missing"
# A custom field that is masked like the personal data of whoever has it, and what it holds.
BLOOD_TYPE = {
    "name": "blood_type", "label": "Blood type", "field_type": "text", "is_searchable": True, "protected": True,
}  # fmt: skip
BLOOD = {"blood_type": "Bombay"}
CARRY_PROTECTED = ("students.student", "faculty.faculty", "attendance.excuserequest", "attendance.condonation")
SESSION: dict[str, Any] = {
    "planned_on": date(2026, 10, 5),
    "local_date": date(2026, 10, 5), "starts_at": datetime(2026, 10, 5, 9, tzinfo=UTC),
    "ends_at": datetime(2026, 10, 5, 10, tzinfo=UTC),
}  # fmt: skip
COMING: dict[str, Any] = {
    "planned_on": date(2100, 10, 4), "local_date": date(2100, 10, 4),
    "starts_at": datetime(2100, 10, 4, 9, tzinfo=UTC), "ends_at": datetime(2100, 10, 4, 10, tzinfo=UTC),
}  # fmt: skip
HOUR = DateTimeTZRange(SESSION["starts_at"], SESSION["ends_at"], "[)")
MISSING_ID = UUID("01955500-0000-7000-8000-000000000000")


@dataclass
class World:
    """The rows to ask for, and a client for every actor."""

    rows: dict[type[Model], dict[str, Any]] = field(default_factory=dict)
    clients: dict[str, APIClient] = field(default_factory=dict)
    users: dict[str, User | None] = field(default_factory=dict)
    roles: dict[str, Role | None] = field(default_factory=dict)
    sides: dict[str, Any] = field(default_factory=dict)
    # How many rows the transaction had written into each table when it was last asked.
    written: dict[str, int] = field(default_factory=dict)

    def row(self, model: type[Model], target: str) -> Any:
        """Return the row of a model that a target names; None where there is none."""
        if model not in self.rows:
            raise AssertionError(
                f"There is no {model.__name__} to ask for: add `{model.__name__}: {{OWN: …, OTHER: …}}` "
                "to `_rows` in tests/authorization/world.py."
            )
        return self.rows[model].get(target)


@contextmanager
def built(blocker: Any) -> Iterator[World]:
    """Build the world in a transaction that is never committed; tests inside it roll back to here."""
    # The tokens are good for as long as a busy machine takes to ask everything.
    with blocker.unblock(), override_settings(ACCESS_TOKEN_LIFETIME=timedelta(hours=6)), transaction.atomic():
        world = populated()
        logging.disable(logging.WARNING)  # thousands of refusals are what is asked for
        try:
            yield world
        finally:
            logging.disable(logging.NOTSET)
            transaction.set_rollback(True)


def populated() -> World:
    """Build the world where the caller is."""
    world = World()
    own, other = _side("A"), _side("B")
    for entity_type in CARRY_PROTECTED:
        CustomField.objects.create(entity_type=entity_type, **BLOOD_TYPE)
    CustomField.objects.create(entity_type="students.student", name="photo", label="Photo", field_type="file")
    world.sides = {OWN: own, OTHER: other}
    _people(own, other)
    own.graduate = _graduate_of(own)
    world.rows = _rows(own, other)
    # Whatever the machine has to do beside, nobody's token ends while questions are left.
    with override_settings(ACCESS_TOKEN_LIFETIME=timedelta(minutes=59)):
        for actor in cast(own):
            user = user_of(actor)
            world.users[actor.name] = user
            world.roles[actor.name] = actor.role
            world.clients[actor.name] = client_of(actor, user)
    for index, user in enumerate((own.student_user, other.student_user)):
        world.rows.setdefault(Session, {})[(OWN, OTHER)[index]] = session_of(user)
        app_of(user)
        identity_of(user)
    _archive(world, own)
    Event.objects.create(action="access.denied", actor_id=own.student_user.pk)
    connection.check_constraints()
    return world


def _side(letter: str) -> SimpleNamespace:
    """Build a department with what is taught there."""
    side = SimpleNamespace(letter=letter)
    side.department = DepartmentFactory(code=f"DEPT{letter}", name=f"Department {letter}")
    side.program = ProgramFactory(code=f"PROG{letter}", department=side.department)
    side.second_program = ProgramFactory(code=f"SECOND{letter}", department=side.department)
    side.campus = CampusFactory(code=f"CAMPUS{letter}")
    side.building = BuildingFactory(code=f"B{letter}", campus=side.campus)
    side.room = RoomFactory(code=f"R{letter}", building=side.building)
    side.year = AcademicYearFactory(code=f"YEAR{letter}")
    side.holiday = CalendarEventFactory(campus=side.campus)
    side.term = TermFactory(code=f"TERM{letter}", academic_year=side.year)
    side.course = CourseFactory(code=f"COURSE{letter}", department=side.department)
    side.other_course = CourseFactory(code=f"FURTHER{letter}", department=side.department)
    side.requisite = RequisiteFactory(course_version=side.course.current_version)
    side.section = SectionFactory(course=side.course, term=side.term, code="01")
    side.other_section = SectionFactory(course=side.other_course, term=side.term, code="01")
    side.meeting = MeetingFactory(weekday=1)
    MeetingSectionFactory(meeting=side.meeting, section=side.section)
    side.session = ClassSession.objects.create(
        section=side.section, meeting=side.meeting, gathering=new_id(), **SESSION
    )
    side.coming, side.promised = (
        ClassSession.objects.create(section=side.section, gathering=new_id(), **COMING) for _ in range(2)
    )
    side.attendance_code = AttendanceCodeFactory(code=f"code_{letter.lower()}")
    # Of terms in which nobody was marked yet: it may be changed.
    side.policy = AttendancePolicyFactory(course=side.course, valid=DateRange(date(2200, 1, 1), None))
    for code in ("present", "excused"):
        AttendanceCodeFactory(code=code)
    side.reservation = RoomReservation.objects.create(
        room=RoomFactory(code=f"RR{letter}", building=side.building), slot=HOUR, kind="class", what="01",
        source=side.session.gathering,
    )  # fmt: skip
    side.custom_field = CustomField.objects.create(
        entity_type="students.student", name=f"field_{letter.lower()}", label=f"Field {letter}", field_type="text"
    )
    return side


def _people(own: SimpleNamespace, other: SimpleNamespace) -> None:
    """Let somebody study, teach, advise and lead on each side."""
    for side in (own, other):
        side.advisor_person = PersonFactory()
        known = PersonFactory(phone="+43 1 555 0100")
        side.faculty = FacultyFactory(
            salary=71_000, employee_no=f"E-{side.letter}", department=side.department, person=known, custom_data=BLOOD
        )
        SectionInstructorFactory(section=side.section, faculty=side.faculty)
        side.colleague = FacultyFactory(employee_no=f"C-{side.letter}", department=side.department)
        SectionInstructorFactory(section=side.other_section, faculty=side.colleague)
        side.newcomer = FacultyFactory(employee_no=f"N-{side.letter}", department=side.department)
        FacultyAppointmentFactory(faculty=side.faculty)
        side.head = Appointment.objects.create(
            department=side.department, person=PersonFactory(), role="head", valid=DateRange(date(2020, 1, 1), None)
        )
        side.student = _student_of(side, f"S-{side.letter}")
        side.classmate = _student_of(side, f"M-{side.letter}")
        for student in (side.student, side.classmate):
            ProgramEnrollmentFactory(student=student, program=side.program, is_primary=True)
        side.guardian = PersonFactory()
        side.link = GuardianLinkFactory(student=side.student, person=side.guardian, consented_at=timezone.now())
        side.student.advisor = side.advisor_person
        side.student.save()
        side.enrollment = EnrollmentFactory(student=side.student, section=side.section)
        EnrollmentFactory(student=side.classmate, section=side.section)
        side.summary = AttendanceSummary.objects.create(
            enrollment=side.enrollment, section=side.section, term=side.term, counted=1, percent=0, is_short=True
        )
        side.decision = EligibilityDecisionFactory(enrollment=side.enrollment, reason="Said so", note="A letter")
        side.condonation = CondonationFactory(decision=side.decision, custom_data=BLOOD)
        side.decision_run = DecisionRunFactory(term=side.term)
        side.check_in = CheckInEventFactory(
            session=side.session, student=side.student, enrollment=side.enrollment, flags=["shared_device"]
        )
        side.credential = CredentialFactory(student=side.student)
        side.punch = PunchFactory(reader=ReaderFactory(room=side.reservation.room), student=side.student)
        side.reader = ReaderFactory(room=side.reservation.room, account=side.punch.reader.account)
        side.identifier = PersonIdentifier.objects.create(**_passport(side.student.person, f"P{side.letter}-778899"))
        Disclosure.objects.create(
            what="student record", subject_id=side.student.person_id, basis="students.view_student", at=timezone.now()
        )
        side.program_user = UserFactory(is_service=True, email=f"program-{side.letter}@example.org".lower())
        RoleAssignmentFactory(user=side.program_user, role=Role.INTEGRATION)
        side.api_key = bare_key(side.program_user, "courses.view_course")
        side.delivery = WebhookDeliveryFactory(endpoint__owner=side.program_user, state="failed")
        side.webhook = side.delivery.endpoint
        side.student_user = UserFactory(person=side.student.person, email=f"student-{side.letter}@example.org".lower())
        side.assignment = RoleAssignmentFactory(user=side.student_user, role="student", scope_kind="self")


def _passport(person: Person, value: str) -> dict[str, Any]:
    """Return the columns of a passport."""
    return {
        "person": person, "scheme": "passport", "country": "AT", "value": value,
        "value_index": PersonIdentifier.index_of(value),
    }  # fmt: skip


def _student_of(side: SimpleNamespace, number: str) -> Student:
    person = PersonFactory(phone="+43 1 555 0100", birth_date=date(2004, 5, 6), gender="female", nationality="AT")
    protected = {"home_address": "1 Elm Street", "accommodation_note": "Has a reader", "custom_data": BLOOD}
    student: Student = StudentFactory(student_no=number, department=side.department, person=person, **protected)
    return student


def _graduate_of(side: SimpleNamespace) -> Student:
    """Return somebody who studied here, and assists now in what is taught."""
    graduate = _student_of(side, f"G-{side.letter}")
    graduate.advisor, graduate.status = side.advisor_person, "graduated"
    graduate.save()
    ProgramEnrollmentFactory(student=graduate, program=side.program, status="graduated", is_primary=True)
    return graduate


def _rows(own: SimpleNamespace, other: SimpleNamespace) -> dict[type[Model], dict[str, Any]]:
    """Say which row of each model is whose."""

    def both(name: str) -> dict[str, Any]:
        return {OWN: getattr(own, name), OTHER: getattr(other, name)}

    now = timezone.now()
    for side in (own, other):
        SelfStudyProjectFactory(project__owner=side.student_user)
        final_projects.settle(side)
        side.programs = ProgramEnrollment.objects.get(student=side.student)
        steps = {"from_status": "active", "to_status": "on_leave", "happened_at": now}
        StudentStatusEvent.objects.create(student=side.student, **{**steps, "to_status": "leave_of_absence"})
        ProgramEnrollmentEvent.objects.create(
            program_enrollment=side.programs, **{**steps, "to_status": "leave_of_absence"}
        )
        FacultyStatusEvent.objects.create(faculty=side.faculty, **steps)
        side.record = _marked(side)
        side.excuse = ExcuseRequest.objects.create(
            student=side.student, kind="medical", statement="Flu", period=HOUR, custom_data=BLOOD
        )
        ExcuseEvent.objects.create(excuse=side.excuse, to_status="submitted", happened_at=now, reason="Had the flu")
        side.substitution = Substitution.objects.create(
            session=side.promised, instructor=side.faculty, substitute=side.colleague, reason="A conference"
        )
        SubstitutionEvent.objects.create(substitution=side.substitution, to_status="proposed", happened_at=now)
        EnrollmentEvent.objects.create(
            enrollment=side.enrollment, from_status="", to_status="enrolled", happened_at=now
        )
    return {
        Department: both("department"), Program: both("program"), Appointment: both("head"), Campus: both("campus"),
        Building: both("building"), Room: both("room"), AcademicYear: both("year"), Term: both("term"),
        CalendarEvent: both("holiday"), RoomReservation: both("reservation"), ClassSession: both("session"),
        Roster: {side: Roster.objects.get(pk=row.pk) for side, row in both("session").items()},
        SheetHistory: {side: SheetHistory.objects.get(pk=row.pk) for side, row in both("session").items()},
        Standing: {side: Standing.objects.get(pk=row.pk) for side, row in both("enrollment").items()},
        AttendanceSummary: both("summary"),
        AttendanceCode: both("attendance_code"), AttendancePolicy: both("policy"), CheckInEvent: both("check_in"),
        Reader: both("reader"), Credential: both("credential"), Punch: both("punch"),
        DecisionRun: both("decision_run"),
        Condonation: both("condonation"),
        EligibilityDecision: both("decision"), ExcuseRequest: both("excuse"), AttendanceRecord: both("record"),
        Substitution: both("substitution"),
        SubstitutionOffer: {
            side: SubstitutionOffer.objects.get(pk=row.pk) for side, row in both("substitution").items()
        },
        Course: both("course"), Requisite: both("requisite"), Section: both("section"), Meeting: both("meeting"),
        CourseVersion: {OWN: own.course.current_version, OTHER: other.course.current_version},
        Student: both("student"), ProgramEnrollment: both("programs"), Faculty: both("faculty"),
        Enrollment: both("enrollment"), CustomField: both("custom_field"), User: both("student_user"),
        RoleAssignment: both("assignment"), PersonIdentifier: both("identifier"), ApiKey: both("api_key"),
        Person: {OWN: own.student.person, OTHER: other.student.person},
        GuardianLink: both("link"),
        DirectoryEntry: {side: DirectoryEntry.objects.get(pk=row.pk) for side, row in both("student").items()},
        ImportJob: {OWN: _import(own), OTHER: _import(other)},
        ExportJob: {OWN: _table(own), OTHER: _table(other)},
        SubjectExport: {OWN: _export(own), OTHER: _export(other)},
        ErasureRequest: {OWN: _erasure(own), OTHER: _erasure(other)},
        LegalHold: {OWN: _hold(own), OTHER: _hold(other)},
        FileAsset: {OWN: _photo(own), OTHER: _photo(other)},
        FileUpload: {OWN: _coming(own), OTHER: _coming(other)},
        Notification: {OWN: _told(own), OTHER: _told(other)},
        **_projects(own, other),
        WebhookEndpoint: both("webhook"), WebhookDelivery: both("delivery"),
        **final_projects.rows_of(own, other, (OWN, OTHER)),
    }  # fmt: skip


def _projects(own: SimpleNamespace, other: SimpleNamespace) -> dict[Any, dict[str, Any]]:
    """Return a project of each side's student, a day that matters to it, and what is attached to it."""
    dates = {
        OWN: ImportantDateFactory(project__owner=own.student_user, title="Report"),
        OTHER: ImportantDateFactory(project__owner=other.student_user, title="Report"),
    }
    essays = {
        target: attach_file(
            dates[target].project, uploaded(side.student_user, name=f"essay-{side.letter}.png"), by=side.student_user
        )
        for target, side in ((OWN, own), (OTHER, other))
    }
    return {Project: {side: row.project for side, row in dates.items()}, ImportantDate: dates, FileLink: essays}


def _marked(side: SimpleNamespace) -> AttendanceRecord:
    """Return with what the student was marked in a course that no policy is about, by a code of nobody's."""
    course = CourseFactory(code=f"MARKED{side.letter}", department=side.department)
    taught = SectionInstructorFactory(
        section=SectionFactory(course=course, term=side.term, code="01"), faculty=side.faculty
    )
    session = ClassSession.objects.create(section=taught.section, gathering=new_id(), **SESSION)
    enrollment = EnrollmentFactory(student=side.student, section=taught.section)
    # Who falls short is listed, and nobody else.
    absent = AttendanceCodeFactory(code="absent", weight=0)
    record: AttendanceRecord = AttendanceRecordFactory(session=session, enrollment=enrollment, code=absent)
    return record


def _import(side: SimpleNamespace) -> ImportJob:
    job: ImportJob = ImportJob.objects.create(
        kind="departments", file_name="departments.csv", sha256=side.letter * 64, state="validated"
    )
    ImportRow.objects.create(
        job=job, position=1, file="departments.csv", row_no=2, resource="departments", action="create"
    )
    return job


def _export(side: SimpleNamespace) -> SubjectExport:
    """Return what the student asked for about themselves, and could not be given."""
    return SubjectExport.objects.create(person=side.student.person, requested_by=side.student_user, state="failed")


def _table(side: SimpleNamespace) -> ExportJob:
    """Return the table of their marks that the student asked for, and could not be given."""
    job: ExportJob = ExportJob.objects.create(
        kind="attendance_records", filters={"term": str(side.term.pk)}, requested_by=side.student_user, state="failed"
    )
    return job


def _erasure(side: SimpleNamespace) -> ErasureRequest:
    """Return what the student asked for, and somebody refused."""
    return ErasureRequest.objects.create(person=side.student.person, requested_by=side.student_user, state="rejected")


def _hold(side: SimpleNamespace) -> LegalHold:
    return LegalHold.objects.create(person=side.advisor_person, reason="A case", placed_at=timezone.now())


def _photo(side: SimpleNamespace) -> FileAsset:
    """Return what the student uploaded, and their record refers to."""
    side.photo = asset = uploaded(side.student_user, name=f"photo-{side.letter}.png")
    update_student(side.student, by=None, custom_fields={"photo": str(asset.pk)})
    return asset


def _coming(side: SimpleNamespace) -> FileUpload:
    """Return what the student has begun to upload."""
    return begin_upload(by=side.student_user, name=f"coming-{side.letter}.txt", size=5)


def _told(side: SimpleNamespace) -> Notification:
    """Return what the student was told."""
    told: Notification = NotificationFactory(recipient=side.student_user)
    return told


def _archive(world: World, own: SimpleNamespace) -> None:
    """Add what is over: it belonged to the same people."""
    now = timezone.now()
    past = DateTimeTZRange(now - timedelta(days=9), now - timedelta(days=5), "[)")
    over: dict[type[Model], Any] = {
        Department: DepartmentFactory(code="CLOSED", parent=own.department, is_active=False),
        Program: ProgramFactory(code="CLOSED", department=own.department, is_active=False),
        Course: CourseFactory(code="CLOSED", department=own.department, is_active=False),
        Term: TermFactory(code="CLOSED", academic_year=own.year, state="archived", starts_on=date(2026, 9, 2)),
        Student: own.graduate,
        Faculty: FacultyFactory(employee_no="R-A", department=own.department, status="retired"),
        Section: SectionFactory(course=own.course, term=own.term, code="99", status="cancelled"),
        Enrollment: EnrollmentFactory(
            student=own.graduate, section=own.other_section, status="dropped", dropped_at=now
        ),
        User: UserFactory(email="gone@example.org", is_active=False),
        RoleAssignment: RoleAssignmentFactory(user=own.student_user, role="guardian", scope_kind="self", valid=past),
    }
    for model, row in over.items():
        world.rows[model][ARCHIVED] = row
