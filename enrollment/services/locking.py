"""The order in which everybody who changes enrolments takes locks.

    1. students         their rows                                     who enrols
    2. sections         their rows, and shared the states of their terms   who enrols, and who changes an enrolment
    3. enrolments       their rows                                     who changes an enrolment

Between students and sections come courses, and after sections meetings, as `courses.services.locking`
says; after a student, or a member of faculty, comes the person they are. Each kind in the order of its
ids, and whoever needs several rows of a kind takes them together, so that two transactions never wait
for each other. Students come before sections, so that what one student asks for is settled one after
another: what is found of duplicates and attempts holds.

The states of terms are kept by advisory locks that any number of transactions share, so enrolments
in one term wait for one another only where they want the same section or concern the same student.
`departments.services.move_term` excludes all who keep a term, and waits for no section or student
while it does. Every lock ends with its transaction and none belongs to a session, as a pooler that
lends connections to single transactions demands.

What a lock guards is read after it was granted, by another statement: a statement sees what was
committed when it began, not what it waited for.
"""

from collections.abc import Iterable
from uuid import UUID

from core.errors import MissingError
from courses.models import Section
from courses.selectors import for_registration
from courses.services import lock_sections
from departments.models import Term
from enrollment.models import Enrollment
from students.models import Student
from students.services import hold_student, lock_students


def hold_for_enrolling(student: Student, section_id: UUID) -> Section:
    """Lock a student and a section; bring the student up to date, and return the section as it is now."""
    hold_student(student)
    lock_sections([section_id])
    return present(section_id)


def lock_for_enrolling(*, student_ids: Iterable[UUID], section_ids: Iterable[UUID]) -> None:
    """Lock everything that enrolling several students in several sections needs."""
    lock_students(student_ids)
    lock_sections(section_ids)


def lock_sections_of(enrollment_ids: Iterable[UUID]) -> None:
    """Lock the sections of enrolments that are about to be locked themselves."""
    lock_sections(Enrollment.objects.filter(pk__in=list(enrollment_ids)).values_list("section_id", flat=True))


def hold_term_of(enrollment: Enrollment) -> Term:
    """Lock the section of an enrolment, and return its term in the state that it keeps."""
    lock_sections([enrollment.section_id])
    return Term.objects.get(pk=enrollment.term_id)


def present(section_id: UUID) -> Section:
    """Return a section with what decides about enrolling in it; refused with `not_found`."""
    section = for_registration([section_id]).first()
    if section is None:
        raise MissingError("There is no such section.", field="section")
    return section
