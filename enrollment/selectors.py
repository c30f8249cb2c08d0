"""What other apps ask about enrolments, and what stands against a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.assignments import Scopes, scopes_of
from courses.models import Course, Section, SectionStatus
from departments.models import TermState
from departments.selectors import below
from enrollment.models import LIVE, ON_RECORD, Enrollment
from students.models import Student, StudentStatus
from students.selectors import in_programs

CHANGE, OWN = "enrollment.change_enrollment", "enrollment.add_enrollment"
OVERRIDE = "enrollment.override_rules"
# The states of a term in which students register, and those that even an override respects.
REGISTERING = (TermState.REGISTRATION, TermState.IN_PROGRESS)
OVER = (TermState.CLOSED, TermState.ARCHIVED)
# Those in which the rules hold for whatever is reported; what is reported of a later one is history.
GUARDED = (TermState.PLANNED, *REGISTERING)


@dataclass(frozen=True)
class Obstacle:
    """A rule that an enrolment would break: its code, the field it concerns, and facts to act upon."""

    code: str
    field: str
    detail: str
    meta: Mapping[str, Any]
    can_be_waived: bool


@dataclass(frozen=True)
class Attempts:
    """What a student has to do with a course already."""

    live_in_section: UUID | None
    live_in_term: UUID | None
    next_no: int


def attempts(student: Student, section: Section) -> Attempts:
    """Return a student's earlier attempts at the course of a section, read in one query."""
    rows = Enrollment.objects.filter(student=student, course=section.course_id)
    live_in_section = live_in_term = None
    highest = 0
    for pk, status, section_id, term_id, attempt_no in rows.values_list(
        "pk", "status", "section_id", "term_id", "attempt_no"
    ):
        if status in ON_RECORD:
            highest = max(highest, attempt_no)
        if status in LIVE and term_id == section.term_id:
            live_in_term = pk
            live_in_section = pk if section_id == section.pk else live_in_section
    return Attempts(live_in_section, live_in_term, highest + 1)


def obstacles(student: Student, section: Section, earlier: Attempts) -> list[Obstacle]:
    """Return every rule that enrolling a student in a section would break, without writing.

    `section` carries its course, version and term. What is returned holds for as long as the locks on both
    that enrolling takes, if they were read under them. The rules are those of
    this function alone: requisites, holds, the student's load and clashes of meetings are not evaluated.
    """
    found = obstacles_without_attempts(student, section)
    duplicate = earlier.live_in_section
    if duplicate is None and not section.course_version.is_repeatable:
        duplicate = earlier.live_in_term
    if duplicate is not None:
        noun = "section" if duplicate == earlier.live_in_section else "course in this term"
        detail = f"The student is enrolled in this {noun} already."
        found.append(Obstacle("duplicate_enrollment", "section", detail, {"enrollment": str(duplicate)}, False))
    return found


def obstacles_without_attempts(student: Student, section: Section) -> list[Obstacle]:
    """Return what stands against an enrolment apart from what the student has to do with the course already."""
    return [*_of_student(student), *_of_section(section)]


def _of_student(student: Student) -> list[Obstacle]:
    if student.status == StudentStatus.ACTIVE:
        return []
    detail = f"The student's status is {student.status}; only active students enrol."
    return [Obstacle("student_not_active", "student", detail, {"status": student.status}, True)]


def _of_section(section: Section) -> list[Obstacle]:
    found = []
    name = f"{section.course.code}-{section.code}"
    if section.term.state not in REGISTERING:
        detail = f"The term {section.term.code} is {section.term.state}; nobody registers in it."
        can_be_waived = section.term.state not in OVER
        found.append(Obstacle("term_closed", "section", detail, {"state": section.term.state}, can_be_waived))
    if section.status == SectionStatus.CANCELLED:
        found.append(Obstacle("section_cancelled", "section", f"{name} was cancelled.", {}, False))
    elif section.status != SectionStatus.OPEN:
        detail = f"{name} is {section.status}, not open."
        found.append(Obstacle("section_not_open", "section", detail, {"status": section.status}, True))
    if section.seats_left <= 0:
        seats = section.capacity + section.override_seats
        detail = f"{name} has 0 of {seats} seats left."
        meta = {
            "capacity": seats,
            "seats_left": 0,
            "waitlist_available": section.waitlisted_count < section.waitlist_capacity,
        }
        found.append(Obstacle("section_full", "section", detail, meta, True))
    return found


def may_register(actor: Any, student: Student, section: Section) -> bool:
    """Say whether the actor could manage an enrolment of this student in this section, if there were one."""
    is_own = student.person_id == getattr(actor, "person_id", None) and acts_for_self(actor)
    return is_own or may_administer(actor, student, section)


def may_administer(actor: Any, student: Student, section: Section) -> bool:
    """Say whether the actor is in charge of an enrolment, rather than it being their own."""
    scopes = scopes_of(actor, CHANGE)
    if _covers(scopes, section):
        return True
    return bool(scopes.programs) and Student.objects.filter(in_programs(scopes.programs), pk=student.pk).exists()


def may_override(actor: Any, section: Section) -> bool:
    """Say whether the actor may waive the rules of a section.

    Those are a matter of the section and its department; a program's people decide about none of its seats.
    """
    return _covers(scopes_of(actor, OVERRIDE), section)


def _covers(scopes: Scopes, section: Section) -> bool:
    """Say whether a section, or the department of its course, lies within some scopes."""
    if scopes.everywhere or section.pk in scopes.sections:
        return True
    departments = scopes.departments
    return bool(departments) and Course.objects.filter(below(departments), pk=section.course_id).exists()


def acts_for_self(actor: Any) -> bool:
    """Say whether the actor may enrol and drop themselves."""
    scopes = scopes_of(actor, OWN)
    return scopes.own or scopes.everywhere
