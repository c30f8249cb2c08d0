"""Fills an empty database with a made-up university, and opens one demo account for each role."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from tqdm import tqdm

from accounts import services as accounts
from accounts.models import Person, User
from accounts.roles import Role, ScopeKind
from campushub360.demo.classes import Classes
from campushub360.demo.marks import Marks
from campushub360.demo.rows import copy
from campushub360.demo.university import MAIL, SCALES, University
from core.customfields.services import create_custom_field
from courses.models import (
    Course,
    CourseVersion,
    Meeting,
    MeetingSection,
    Requisite,
    RequisiteCourse,
    Section,
    SectionInstructor,
)
from departments.models import (
    AcademicYear,
    Appointment,
    Building,
    CalendarEvent,
    Campus,
    Department,
    Program,
    Room,
    Term,
)
from enrollment.models import Enrollment
from faculty.models import Faculty, FacultyAppointment
from students.models import ProgramEnrollment, Student

# Roles whose holders work in the administration pages.
STAFF = {
    Role.SYSTEM_ADMIN,
    Role.REGISTRAR,
    Role.DEPARTMENT_HEAD,
    Role.PROGRAM_COORDINATOR,
    Role.HR_OFFICER,
    Role.FACILITIES_MANAGER,
    Role.EXAM_CONTROLLER,
    Role.FINANCE_OFFICER,
    Role.FINANCE_APPROVER,
    Role.CAMPAIGN_MANAGER,
    Role.AUDITOR,
}


@transaction.atomic
def seed(*, scale: str, seed: int, today: date, attendance_months: int = 0) -> dict[str, int]:
    """Write the university and return the number of rows by kind; all of it or, when anything fails, nothing.

    With months, it also writes the classes of so many months before the day, and who was there.
    """
    university = University(SCALES[scale], seed, today)
    define_custom_fields()
    counts: dict[str, int] = {}
    expected = SCALES[scale].enrollments + SCALES[scale].students * 3
    with tqdm(total=expected, unit=" rows", desc="demo data", unit_scale=True, disable=None) as bar:
        for model, rows in tables(university):
            bar.set_postfix_str(str(model._meta.verbose_name_plural))
            counts[str(model._meta.verbose_name_plural)] = copy(model, counted(rows, bar))
        bar.total = bar.n
    if attendance_months:
        counts |= fill_attendance(university, months=attendance_months)
    refresh_statistics()
    return counts


def fill_attendance(made: University, *, months: int) -> dict[str, int]:
    """Write the classes of so many months and who was there, and return the number of rows by kind."""
    classes = Classes(months=months, today=made.today, seed=made.seed, keys=made.keys)
    counts = classes.load()
    marks = Marks(classes, seed=made.seed, keys=made.keys)
    with tqdm(total=marks.expected_rows(), unit=" marks", desc="attendance", unit_scale=True, disable=None) as bar:
        counts += marks.load(bar)
        bar.total = bar.n
    return counts


def tables(made: University) -> Iterator[tuple[type[models.Model], Iterable[Any]]]:
    """Yield each table's rows in an order in which every reference leads backwards."""
    yield Department, made.department_rows()
    yield Program, made.program_rows()
    yield Campus, made.campus_rows()
    yield Building, made.building_rows()
    yield Room, made.room_rows()
    yield AcademicYear, made.year_rows()
    yield Term, made.term_rows()
    yield CalendarEvent, made.calendar_event_rows()
    yield Person, made.person_rows()
    yield Faculty, made.faculty
    yield FacultyAppointment, made.faculty_appointment_rows()
    yield Appointment, made.appointment_rows()
    yield Student, made.student_rows()
    yield ProgramEnrollment, made.program_enrollment_rows()
    yield Course, made.course_rows()
    yield CourseVersion, made.versions
    requisites = list(made.requisite_rows())
    yield Requisite, [requisite for requisite, _ in requisites]
    yield RequisiteCourse, [named for _, named in requisites]
    made.plan_teaching()
    yield Section, made.sections
    yield SectionInstructor, made.instructors
    yield Meeting, made.meetings
    yield MeetingSection, made.meeting_sections
    yield Enrollment, made.enrollment_rows()


def counted(rows: Iterable[Any], bar: Any) -> Iterator[Any]:
    """Pass the rows on and move the progress bar with them."""
    for row in rows:
        yield row
        bar.update()


def refresh_statistics() -> None:
    """Tell the planner what has been loaded; it would otherwise plan for empty tables."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def define_custom_fields() -> None:
    """Define a few fields that show what custom fields can do."""
    groups = ["O+", "A+", "B+", "AB+", "O-", "A-", "B-", "AB-"]
    create_custom_field(
        by=None, entity_type="students.student", name="blood_group", label="Blood group", field_type="select",
        choices=[{"value": group, "label": group} for group in groups], protected=True,
    )  # fmt: skip
    create_custom_field(
        by=None, entity_type="students.student", name="hostel_resident", label="Lives in a hostel",
        field_type="boolean", order=1,
    )  # fmt: skip
    create_custom_field(
        by=None, entity_type="faculty.faculty", name="orcid", label="ORCID iD", field_type="text",
        validation_regex=r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", is_searchable=True,
    )  # fmt: skip


@transaction.atomic
def open_accounts(*, password: str) -> list[User]:
    """Open one account for each role, each held where it makes sense, and return them."""
    return [_account(role, password) for role in Role]


def _account(role: Role, password: str) -> User:
    person, kind, scope_id = _part(role)
    user = accounts.create_demo_user(
        email=f"{role.value}@{MAIL}",
        password=password,
        person=person or accounts.create_person(by=None, first_name="Demo", last_name=role.label),
        is_staff=role in STAFF,
    )
    accounts.assign_role(by=None, user=user, role=role, scope_kind=kind, scope_id=scope_id)
    return user


def _part(role: Role) -> tuple[Person | None, ScopeKind, UUID | None]:
    """Return whom the account of a role belongs to, and where the role is held."""
    sections = Section.objects.order_by("id")
    section = sections.filter(status="in_progress").first() or sections.first()
    if section is None:
        return None, ScopeKind.INSTITUTION, None
    department_id = section.course.department_id
    if role == Role.STUDENT:
        enrolled = Enrollment.objects.filter(section=section, status__in=("enrolled", "completed"))
        return enrolled.order_by("id")[0].student.person, ScopeKind.SELF, None
    if role == Role.FACULTY:
        return section.section_instructors.all()[0].faculty.person, ScopeKind.SELF, None
    if role == Role.ADVISOR:
        advisees = Student.objects.filter(advisor__user=None, advisor__isnull=False)
        return advisees.order_by("id")[0].advisor, ScopeKind.SELF, None
    scopes = {
        Role.DEPARTMENT_HEAD: (ScopeKind.DEPARTMENT, department_id),
        Role.PROGRAM_COORDINATOR: (
            ScopeKind.PROGRAM,
            Program.objects.filter(department_id=department_id).order_by("code")[0].pk,
        ),
        Role.TEACHING_ASSISTANT: (ScopeKind.SECTION, section.pk),
        Role.GUARDIAN: (ScopeKind.SELF, None),
    }
    return None, *scopes.get(role, (ScopeKind.INSTITUTION, None))


def is_empty() -> bool:
    """Say whether nobody has put a university into the database yet."""
    return not (Student.objects.exists() or Department.objects.exists())
