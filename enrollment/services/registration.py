"""What enrols students in sections and ends their enrolments.

What is locked, and in which order, stands in `enrollment.services.locking`. The counter of the seats
follows by triggers.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core import crud
from core.duties import may_not_be_same
from core.errors import DomainError, raise_all
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from courses.models import CourseVersion, Section
from courses.services import grant_seats, lock_sections
from departments.models import TermState
from enrollment import events
from enrollment.models import LIVE, Enrollment, EnrollmentEvent, EnrollmentStatus, Source
from enrollment.selectors import OVER, Obstacle, attempts, may_override, obstacles
from enrollment.services.locking import hold_for_enrolling, hold_term_of, present
from enrollment.services.refusals import (
    CreditsOutOfRangeError,
    EnrollmentEndedError,
    EnrollmentTransitionError,
    OverrideNotPermittedError,
    OwnEnrollmentError,
    TermClosedError,
    refusal_of,
)
from students.models import Student

TRANSITIONS: dict[str, set[str]] = {
    EnrollmentStatus.PENDING: {
        EnrollmentStatus.ENROLLED, EnrollmentStatus.DROPPED, EnrollmentStatus.CANCELLED,
    },
    EnrollmentStatus.ENROLLED: {
        EnrollmentStatus.DROPPED, EnrollmentStatus.WITHDRAWN, EnrollmentStatus.COMPLETED, EnrollmentStatus.CANCELLED,
    },
    EnrollmentStatus.DROPPED: set(),
    EnrollmentStatus.WITHDRAWN: set(),
    EnrollmentStatus.COMPLETED: set(),
    EnrollmentStatus.CANCELLED: set(),
}  # fmt: skip

STEPS = Steps("An enrolment that is", TRANSITIONS, EnrollmentTransitionError, EnrollmentEvent, "enrollment")

ANNOUNCEMENTS: dict[str, type[events.EnrollmentMoved]] = {
    EnrollmentStatus.ENROLLED: events.StudentEnrolled,
    EnrollmentStatus.DROPPED: events.EnrollmentDropped,
    EnrollmentStatus.WITHDRAWN: events.EnrollmentWithdrawn,
    EnrollmentStatus.COMPLETED: events.EnrollmentCompleted,
    EnrollmentStatus.CANCELLED: events.EnrollmentCancelled,
}

# Dropping leaves no trace on the record; once teaching has begun, a student withdraws instead.
LEAVING: dict[str, EnrollmentStatus] = {
    TermState.PLANNED: EnrollmentStatus.DROPPED,
    TermState.REGISTRATION: EnrollmentStatus.DROPPED,
    TermState.IN_PROGRESS: EnrollmentStatus.WITHDRAWN,
}


class EnrollmentChanges(TypedDict, total=False):
    credits: Decimal
    grade_basis: str


class EnrollmentValues(EnrollmentChanges, total=False):
    student: Student
    section: Section
    override: bool
    reason: str


@transaction.atomic
def enroll(
    *,
    student: Student,
    section: Section,
    by: Actor | None,
    at: datetime | None = None,
    override: bool = False,
    reason: str = "",
    source: str = Source.MANUAL,
    **values: Unpack[EnrollmentChanges],
) -> Enrollment:
    """Enrol a student in a section.

    Refused with every rule that it would break at once: `term_closed`, `section_cancelled`,
    `section_not_open`, `section_full`, `duplicate_enrollment`, `student_not_active`,
    `credits_out_of_range`. With `override`, which takes the permission `enrollment.override_rules` for
    the section (`override_not_permitted`), the rules that can be waived are, a full section gets a seat
    more, and the event says which rules those were; nobody waives them for themselves (`self_approval`).
    Requisites, the student's load and clashes of meetings are not evaluated.
    """
    at = at or timezone.now()
    section = hold_for_enrolling(student, section.pk)
    if override:
        if by is not None and not may_override(by, section):
            raise OverrideNotPermittedError
        _require_somebody_else(student, by)
    earlier = attempts(student, section)
    found = obstacles(student, section, earlier)
    raise_all(
        [refusal_of(obstacle) for obstacle in found if not (override and obstacle.can_be_waived)]
        + credit_faults(values, section.course_version)
    )
    waived = [obstacle.code for obstacle in found]
    if "section_full" in waived:
        grant_seats({section.pk: 1})
    enrollment = crud.create(
        Enrollment,
        {
            "student": student,
            "section": section,
            "course": section.course,
            "term": section.term,
            "is_repeatable": section.course_version.is_repeatable,
            "attempt_no": earlier.next_no,
            "enrolled_at": at,
            "source": source,
            "credits": section.course_version.credits,
            **values,
        },
    )
    STEPS.record(enrollment, "", by=by, at=at, reason=reason, overridden=waived)
    _announce(enrollment, at=at)
    return enrollment


def preflight(*, student: Student, section: Section) -> list[Obstacle]:
    """Say which rules enrolling a student in a section would break, without writing or locking anything."""
    section = present(section.pk)
    return obstacles(student, section, attempts(student, section))


@transaction.atomic
def update_enrollment(enrollment: Enrollment, *, by: Actor | None, **changes: Unpack[EnrollmentChanges]) -> Enrollment:
    """Change the credits or the grade basis of a live enrolment; refused with `enrollment_ended` afterwards.

    Refused to its student with `self_approval`, as whatever else is the university's part.
    """
    _require_somebody_else(enrollment.student, by)
    if not enrollment.is_live:
        raise EnrollmentEndedError
    raise_all(credit_faults(changes, CourseVersion.objects.get(sections=enrollment.section_id)))
    return crud.update(enrollment, changes)


def confirm(enrollment: Enrollment, *, by: Actor | None, at: datetime, reason: str = "") -> Enrollment:
    """Turn a pending enrolment into one that counts; refused with `illegal_transition`, and `self_approval`."""
    _require_somebody_else(enrollment.student, by)
    return _move(enrollment, EnrollmentStatus.ENROLLED, by=by, at=at, reason=reason)


@transaction.atomic
def drop(enrollment: Enrollment, *, by: Actor | None, at: datetime | None = None, reason: str = "") -> None:
    """End an enrolment at the student's wish: dropped before teaching begins, withdrawn afterwards.

    Refused with `term_closed` once grading has begun, and with `illegal_transition` when it has ended.
    """
    term = hold_term_of(enrollment)
    status = LEAVING.get(term.state)
    if status is None:
        raise TermClosedError(f"The term {term.code} is {term.state}; nobody leaves a section any more.")
    if enrollment.status == EnrollmentStatus.PENDING:
        status = EnrollmentStatus.DROPPED
    _step(enrollment, status, by=by, at=at or timezone.now(), reason=reason)


@transaction.atomic
def withdraw(enrollment: Enrollment, *, by: Actor | None, at: datetime, reason: str = "") -> Enrollment:
    """End an enrolment so that the attempt stays on record; refused with `term_closed` in a closed term."""
    term = hold_term_of(enrollment)
    if term.state in OVER:
        raise TermClosedError(f"The term {term.code} is {term.state}.")
    return _step(enrollment, EnrollmentStatus.WITHDRAWN, by=by, at=at, reason=reason)


def complete(
    enrollment: Enrollment, *, by: Actor | None, at: datetime, result: str = "", reason: str = ""
) -> Enrollment:
    """End an enrolment at the end of its section, with the result if one is known; refused with `self_approval`."""
    _require_somebody_else(enrollment.student, by)
    return _move(enrollment, EnrollmentStatus.COMPLETED, by=by, at=at, reason=reason, result=result)


def cancel(enrollment: Enrollment, *, by: Actor | None, at: datetime, reason: str = "") -> Enrollment:
    """Take back an enrolment on the university's part; refused to its student with `self_approval`."""
    _require_somebody_else(enrollment.student, by)
    return _move(enrollment, EnrollmentStatus.CANCELLED, by=by, at=at, reason=reason)


@transaction.atomic
def cancel_all_in(section_id: UUID, *, by: Actor | None, at: datetime, reason: str = "") -> int:
    """Cancel every live enrolment in a section; doing so twice is the same as once. Returns how many."""
    lock_sections([section_id])
    live = Enrollment.objects.filter(section=section_id).live().order_by("pk").select_for_update(no_key=True)
    cancelled = [_step(row, EnrollmentStatus.CANCELLED, by=by, at=at, reason=reason) for row in live]
    return len(cancelled)


def credit_faults(values: EnrollmentChanges, version: CourseVersion) -> list[DomainError]:
    """Return what is wrong with the credits that somebody chose, if they chose any."""
    least = version.credits
    most = least if version.credits_max is None else version.credits_max
    wanted = values.get("credits", least)
    if least <= wanted <= most:
        return []
    counted = f"{least} credits" if least == most else f"{least} to {most} credits"
    return [CreditsOutOfRangeError(f"The course counts {counted}.", meta={"least": str(least), "most": str(most)})]


def _require_somebody_else(student: Student, by: Actor | None) -> None:
    may_not_be_same(by, OwnEnrollmentError, people=[student.person_id])


@transaction.atomic
def _move(
    enrollment: Enrollment, status: str, *, by: Actor | None, at: datetime, reason: str, **also: Any
) -> Enrollment:
    """Take one step of an enrolment."""
    lock_sections([enrollment.section_id])
    return _step(enrollment, status, by=by, at=at, reason=reason, **also)


def _step(
    enrollment: Enrollment, status: str, *, by: Actor | None, at: datetime, reason: str, **also: Any
) -> Enrollment:
    """Take one step of an enrolment whose section is locked."""
    left = {"dropped_at": at} if status not in (*LIVE, EnrollmentStatus.COMPLETED) else {}
    STEPS.take(enrollment, status, by=by, at=at, reason=reason, **left, **also)
    _announce(enrollment, at=at)
    return enrollment


def _announce(enrollment: Enrollment, *, at: datetime) -> None:
    """Tell what an enrolment has come to."""
    announcement = ANNOUNCEMENTS[enrollment.status]
    publish(
        announcement(
            enrollment_id=enrollment.pk,
            student_id=enrollment.student_id,
            section_id=enrollment.section_id,
            course_id=enrollment.course_id,
            term_id=enrollment.term_id,
            happened_at=at,
        )
    )
