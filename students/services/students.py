"""What changes students and their standing with the university."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Unpack

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Person
from accounts.services import PersonValues
from accounts.services.parts import create_part, delete_part, update_part
from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from departments.models import Department, Program
from students.events import StudentCreated, StudentStatusChanged
from students.models import ENDED, ProgramEnrollmentStatus, Student, StudentStatusEvent
from students.models import StudentStatus as Status
from students.refusals import StudentNoImmutableError
from students.services import program_enrollments as programs
from students.services.locking import hold_student

TRANSITIONS: Mapping[str, Collection[str]] = {
    Status.APPLICANT: {Status.ADMITTED, Status.WITHDRAWN},
    Status.ADMITTED: {Status.ACTIVE, Status.WITHDRAWN},
    Status.ACTIVE: {
        Status.LEAVE_OF_ABSENCE,
        Status.SUSPENDED,
        Status.WITHDRAWN,
        Status.DISMISSED,
        Status.GRADUATED,
    },
    Status.LEAVE_OF_ABSENCE: {Status.ACTIVE, Status.WITHDRAWN, Status.DISMISSED},
    Status.SUSPENDED: {Status.ACTIVE, Status.WITHDRAWN, Status.DISMISSED},
    # Those who left may come back, and graduates for another award.
    Status.WITHDRAWN: {Status.ADMITTED, Status.ACTIVE},
    Status.DISMISSED: {Status.ADMITTED},
    Status.GRADUATED: {Status.ADMITTED},
}


class StudentValues(PersonValues, total=False):
    student_no: str
    status: str
    department: Department
    program: Program | None
    cohort: str
    advisor: Person | None
    admitted_on: date | None
    preferred_contact: str
    home_address: str
    accommodation_note: str | None
    directory_opt_out: bool
    custom_fields: dict[str, Any]


class NewStudentValues(StudentValues, total=False):
    person: Person


class TransitionError(ConflictError):
    """The student cannot go from their status to the one asked for."""

    code = "illegal_transition"
    title = "The student cannot move to this status."
    field = "status"


STEPS = Steps("A student who is", TRANSITIONS, TransitionError, StudentStatusEvent, "student")


class ProgramsOpenError(ConflictError):
    """Somebody would graduate with a program still under way."""

    code = "programs_open"
    title = "A student graduates when every program is completed or has ended."
    field = "status"


class CohortWithoutProgramError(InvalidError):
    """A cohort is one of a program."""

    code = "cohort_without_program"
    title = "A cohort belongs to a program, and the student has none."
    field = "cohort"


class OwnStandingError(ForbiddenError):
    """Nobody admits themselves, settles their own standing, or grants accommodations to themselves."""

    code = "self_approval"
    title = "Nobody decides about their own standing as a student."


# What somebody else decides about a student; programs have a service of their own.
DECIDED_BY_OTHERS = frozenset({"status", "department", "advisor", "admitted_on", "accommodation_note"})


@transaction.atomic
def create_student(*, by: Actor | None, **values: Unpack[NewStudentValues]) -> Student:
    """Record a student, the person they are and their primary program; a blank number is given the next one.

    Refused with `student_no_taken`, with `already_a_student` when `person` is one, or with `self_approval` when it is
    whoever acts.
    """
    own: dict[str, Any] = dict(values)
    if (person := values.get("person")) is not None:
        may_not_be_same(by, OwnStandingError, people=[person.pk])
    program, cohort = own.pop("program", None), own.pop("cohort", "")
    if cohort and program is None:
        raise CohortWithoutProgramError
    own["student_no"] = own.get("student_no") or _next_student_no(own.get("admitted_on"))
    student = create_part(Student, own, by=by)
    if program is not None:
        programs.enrol_in_program(student=student, program=program, cohort=cohort, is_primary=True, by=by)
    publish(
        StudentCreated(
            student_id=student.pk, person_id=student.person_id, student_no=student.student_no, status=student.status
        )
    )
    return student


@transaction.atomic
def update_student(student: Student, *, by: Actor | None, **changes: Unpack[StudentValues]) -> Student:
    """Change a student and the person they are; refused with `student_no_immutable` for another number.

    Another program takes the place of the primary one, which is withdrawn from. Another status is
    moved to as by `change_status`. Refused with `self_approval` when somebody would decide about themselves.
    """
    own: dict[str, Any] = dict(changes)
    if any(name in DECIDED_BY_OTHERS and getattr(student, name) != value for name, value in own.items()):
        _require_somebody_else(student, by)
    if own.pop("student_no", student.student_no) != student.student_no:
        raise StudentNoImmutableError
    status = own.pop("status", student.status)
    curriculum: dict[str, Any] = {name: own.pop(name) for name in ("program", "cohort") if name in own}
    update_part(student, student.person, own, by=by)
    if curriculum:
        _set_program(student, curriculum, by=by)
    if status != student.status:
        change_status(student, status=status, by=by, at=timezone.now())
    return student


@transaction.atomic
def change_status(student: Student, *, status: str, by: Actor | None, at: datetime, reason: str = "") -> Student:
    """Move a student to another status and announce it; refused with `illegal_transition` or `programs_open`.

    The primary program goes the same step where it stood like the student; an end ends every program. Refused to the
    student with `self_approval`.
    """
    _require_somebody_else(student, by)
    hold_student(student)
    before = STEPS.take(student, status, by=by, at=at, reason=reason)
    _take_programs_along(student, before, by=by, at=at, reason=reason)
    publish(StudentStatusChanged(student_id=student.pk, from_status=before, to_status=status, happened_at=at))
    return student


def opt_out_of_directory(student: Student, *, opted_out: bool, by: Actor | None, at: datetime) -> Student:
    """Take a student out of the directory, or back into it; the history keeps who did, and when."""
    return crud.update(student, {"directory_opt_out": opted_out}, by=by)


@transaction.atomic
def delete_student(student: Student, *, by: Actor | None) -> None:
    """Delete a student who was recorded by mistake, with the person unless they have another part.

    Refused with `in_use` when anything else refers to the student, or a status has ever changed.
    """
    hold_student(student)
    for enrollment in student.program_enrollments.all():
        crud.delete(enrollment)
    delete_part(student, student.person, by=by)


def _require_somebody_else(student: Student, by: Actor | None) -> None:
    may_not_be_same(by, OwnStandingError, people=[student.person_id])


def _next_student_no(admitted_on: date | None) -> str:
    """Issue a number such as S2026000042; numbers that came from elsewhere are passed over."""
    year = (admitted_on or timezone.localdate()).year
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('students_student_no')")
            (number,) = cursor.fetchone()
        issued = f"S{year}{number:06}"
        if not Student.objects.filter(student_no=issued).exists():
            return issued


def _set_program(student: Student, curriculum: Mapping[str, Any], *, by: Actor | None) -> None:
    """Make a program the one the student counts to, or change its cohort."""
    hold_student(student)
    primary = programs.primary_of(student)
    present = primary.program if primary else None
    program: Program | None = curriculum.get("program", present)
    cohort: str = curriculum.get("cohort", primary.cohort if primary else "")
    if program is None:
        if curriculum.get("cohort") or (cohort and primary is None):
            raise CohortWithoutProgramError
        if primary is not None:
            programs.update_program_enrollment(primary, is_primary=False, by=by)
        return
    if primary is not None and program == present:
        programs.update_program_enrollment(primary, cohort=cohort, by=by)
        return
    if primary is not None and ProgramEnrollmentStatus.WITHDRAWN in programs.TRANSITIONS[primary.status]:
        programs.move(
            primary,
            status=ProgramEnrollmentStatus.WITHDRAWN,
            by=by,
            at=timezone.now(),
            reason=f"Changed to {program.code}.",
        )
    other = student.program_enrollments.live().filter(program=program).first()
    if other is not None:
        programs.update_program_enrollment(other, is_primary=True, cohort=cohort, by=by)
    else:
        programs.enrol_in_program(student=student, program=program, cohort=cohort, is_primary=True, by=by)


def _take_programs_along(student: Student, before: str, *, by: Actor | None, at: datetime, reason: str) -> None:
    """Let the programs that last go the step that the student just took."""
    for enrollment in student.program_enrollments.live().order_by("pk").select_for_update(no_key=True):
        concerned = student.status in ENDED or (enrollment.is_primary and enrollment.status == before)
        if concerned and student.status in programs.TRANSITIONS[enrollment.status]:
            programs.move(enrollment, status=student.status, by=by, at=at, reason=reason)
        elif student.status == Status.GRADUATED:
            raise ProgramsOpenError
