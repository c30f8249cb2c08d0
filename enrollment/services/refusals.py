"""Why an enrolment is refused."""

from core.errors import ConflictError, DomainError, ForbiddenError, InvalidError
from courses.services import SectionFullError
from enrollment.selectors import Obstacle


class TermClosedError(ConflictError):
    """Nobody registers in the term at present."""

    code = "term_closed"
    title = "The term is not open for this."
    field = "section"


class SectionCancelledError(ConflictError):
    """The section does not take place."""

    code = "section_cancelled"
    title = "The section was cancelled."
    field = "section"


class SectionNotOpenError(ConflictError):
    """The section takes no enrolments at present."""

    code = "section_not_open"
    title = "The section is not open for enrolment."
    field = "section"


class DuplicateEnrollmentError(ConflictError):
    """The student has a live enrolment in the section, or in the course in this term."""

    code = "duplicate_enrollment"
    title = "The student is enrolled already."
    field = "section"


class StudentNotActiveError(ConflictError):
    """The student is not studying at present."""

    code = "student_not_active"
    title = "Only active students enrol."
    field = "student"


class OverrideNotPermittedError(ForbiddenError):
    """Waiving rules takes a permission of its own."""

    code = "override_not_permitted"
    title = "You may not waive the rules of enrolment."
    field = "override"


class OwnEnrollmentError(ForbiddenError):
    """A student enrols without a waiver, drops and withdraws; everything else is for somebody else to decide."""

    code = "self_approval"
    title = "Nobody decides about their own enrolment."


class CreditsOutOfRangeError(InvalidError):
    """The course does not count that many credits."""

    code = "credits_out_of_range"
    title = "The course does not count that many credits."
    field = "credits"


class EnrollmentTransitionError(ConflictError):
    """The enrolment cannot go from its status to the one asked for."""

    code = "illegal_transition"
    title = "The enrolment cannot move to this status."
    field = "status"


class EnrollmentEndedError(ConflictError):
    """The enrolment has ended and stays as it was."""

    code = "enrollment_ended"
    title = "The enrolment has ended and stays as it was."


_ERRORS: dict[str, type[ConflictError]] = {
    error.code: error
    for error in (
        TermClosedError,
        SectionCancelledError,
        SectionNotOpenError,
        SectionFullError,
        DuplicateEnrollmentError,
        StudentNotActiveError,
    )
}


def refusal_of(obstacle: Obstacle) -> DomainError:
    """Return the error that an obstacle makes."""
    return _ERRORS[obstacle.code](obstacle.detail, field=obstacle.field, meta=obstacle.meta)
