"""What changes a student's way through a program."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from departments.models import Program, Term
from students.events import ProgramEnrollmentCreated, ProgramEnrollmentStatusChanged
from students.models import ENDED, ProgramEnrollment, ProgramEnrollmentEvent, Student
from students.models import ProgramEnrollmentStatus as Status
from students.services.locking import hold_student

TRANSITIONS: Mapping[str, Collection[str]] = {
    Status.APPLICANT: {Status.ADMITTED, Status.WITHDRAWN},
    Status.ADMITTED: {Status.ACTIVE, Status.WITHDRAWN},
    Status.ACTIVE: {
        Status.LEAVE_OF_ABSENCE,
        Status.SUSPENDED,
        Status.WITHDRAWN,
        Status.DISMISSED,
        Status.COMPLETED,
    },
    Status.LEAVE_OF_ABSENCE: {Status.ACTIVE, Status.WITHDRAWN, Status.DISMISSED},
    Status.SUSPENDED: {Status.ACTIVE, Status.WITHDRAWN, Status.DISMISSED},
    Status.COMPLETED: {Status.GRADUATED},
    Status.WITHDRAWN: set(),
    Status.DISMISSED: set(),
    Status.GRADUATED: set(),
}


class ProgramEnrollmentValues(TypedDict, total=False):
    cohort: str
    start_term: Term | None
    is_primary: bool
    status: str


class NewProgramEnrollmentValues(ProgramEnrollmentValues, total=False):
    student: Student
    program: Program


class ProgramTransitionError(ConflictError):
    """The program enrolment cannot go from its status to the one asked for."""

    code = "illegal_transition"
    title = "The program enrolment cannot move to this status."
    field = "status"


class OwnProgramError(ForbiddenError):
    """Which program somebody is in, and how they stand in it, is for somebody else to decide."""

    code = "self_approval"
    title = "Nobody decides about their own programs."


STEPS = Steps(
    "A program enrolment that is", TRANSITIONS, ProgramTransitionError, ProgramEnrollmentEvent, "program_enrollment"
)


@transaction.atomic
def enrol_in_program(*, by: Actor | None, **values: Unpack[NewProgramEnrollmentValues]) -> ProgramEnrollment:
    """Enrol a student in a program; refused with `already_in_program` while an enrolment in it lasts.

    It is the student's primary program when `is_primary` says so, or says nothing and the student
    has none that lasts. The program starts with the student's own status unless `status` names one.
    Nobody enrols themselves (`self_approval`), nor changes what they are enrolled in.
    """
    student = values["student"]
    _require_somebody_else(student, by)
    hold_student(student)
    primary = primary_of(student)
    is_primary = values.get("is_primary", primary is None or primary.has_ended)
    if is_primary and primary is not None:
        crud.update(primary, {"is_primary": False}, by=by)
    status = student.status if student.status not in ENDED else Status.ADMITTED
    fields: dict[str, Any] = {"status": status, **values, "is_primary": is_primary}
    enrollment = crud.create(ProgramEnrollment, fields, by=by)
    if is_primary:
        crud.touch(student)
    publish(
        ProgramEnrollmentCreated(
            program_enrollment_id=enrollment.pk,
            student_id=student.pk,
            program_id=enrollment.program_id,
            status=enrollment.status,
        )
    )
    return enrollment


@transaction.atomic
def update_program_enrollment(
    enrollment: ProgramEnrollment, *, by: Actor | None, **changes: Unpack[ProgramEnrollmentValues]
) -> ProgramEnrollment:
    """Change a program enrolment; the one made primary takes the place of another.

    Refused to the student with `self_approval`.
    """
    if any(getattr(enrollment, name) != value for name, value in changes.items()):
        _require_somebody_else(enrollment.student, by)
    fields: dict[str, Any] = dict(changes)
    status = fields.pop("status", enrollment.status)
    student = enrollment.student
    hold_student(student)
    was_primary = enrollment.is_primary
    primary = primary_of(student)
    if fields.get("is_primary") and primary is not None and primary != enrollment:
        crud.update(primary, {"is_primary": False}, by=by)
    seen = enrollment.version
    crud.update(enrollment, fields, by=by)
    if enrollment.version != seen and (was_primary or enrollment.is_primary):
        crud.touch(student)
    if status != enrollment.status:
        move(enrollment, status=status, by=by, at=timezone.now())
    return enrollment


@transaction.atomic
def change_program_status(
    enrollment: ProgramEnrollment, *, status: str, by: Actor | None, at: datetime, reason: str = ""
) -> ProgramEnrollment:
    """Move a program enrolment to another status and announce it; refused with `illegal_transition`.

    Refused to the student with `self_approval`.
    """
    _require_somebody_else(enrollment.student, by)
    hold_student(enrollment.student)
    return move(enrollment, status=status, by=by, at=at, reason=reason)


@transaction.atomic
def delete_program_enrollment(enrollment: ProgramEnrollment, *, by: Actor | None) -> None:
    """Delete an enrolment that was recorded by mistake; one with a history is refused with `in_use`.

    Refused to the student with `self_approval`.
    """
    _require_somebody_else(enrollment.student, by)
    hold_student(enrollment.student)
    was_primary, student = enrollment.is_primary, enrollment.student
    crud.delete(enrollment)
    if was_primary:
        crud.touch(student)


def primary_of(student: Student) -> ProgramEnrollment | None:
    """Return the program enrolment a student counts to."""
    return student.program_enrollments.filter(is_primary=True).select_related("program").first()


def _require_somebody_else(student: Student, by: Actor | None) -> None:
    may_not_be_same(by, OwnProgramError, people=[student.person_id])


def move(
    enrollment: ProgramEnrollment, *, status: str, by: Actor | None, at: datetime, reason: str = ""
) -> ProgramEnrollment:
    """Take one step of a program enrolment whose student is locked."""
    before = STEPS.take(enrollment, status, by=by, at=at, reason=reason)
    publish(
        ProgramEnrollmentStatusChanged(
            program_enrollment_id=enrollment.pk,
            student_id=enrollment.student_id,
            from_status=before,
            to_status=status,
            happened_at=at,
        )
    )
    return enrollment
