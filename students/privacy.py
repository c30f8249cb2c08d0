"""What the records of students say about people."""

from core.errors import ConflictError
from core.privacy import Subject, personal, stands_in_the_way
from students.models import (
    GuardianLink,
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    Student,
    StudentStatus,
    StudentStatusEvent,
)

LEDGER = "For good: it is part of the academic record, which goes on under a pseudonym after erasure."
ACTOR = {"actor": "Who took the step, in the course of their work."}

personal(
    Student,
    says="You as a student: number, standing, department.",
    kept=LEDGER,
    paths=("person",),
    keeps="student_no status department admitted_on preferred_contact directory_opt_out",
    clears="custom_data home_address accommodation_note",
    mentions={"advisor": "Who advises you, in the course of their work."},
)
personal(
    StudentStatusEvent,
    says="The steps of your standing with the university.",
    kept=LEDGER,
    paths=("student__person",),
    keeps="from_status to_status happened_at",
    clears="reason",
    mentions=ACTOR,
)
personal(
    ProgramEnrollment,
    says="The programs that you are or were enrolled in.",
    kept=LEDGER,
    paths=("student__person",),
    keeps="program cohort start_term is_primary status",
)
personal(
    ProgramEnrollmentEvent,
    says="The steps of your enrolments in programs.",
    kept=LEDGER,
    paths=("program_enrollment__student__person",),
    keeps="from_status to_status happened_at",
    clears="reason",
    mentions=ACTOR,
)
personal(
    GuardianLink,
    says="Who is a guardian of whom, what that opens to them, and who agreed to it.",
    kept="For good: it explains to whom a record was disclosed.",
    paths=("student__person", "person"),
    keeps="relation scopes valid verified_at consented_at",
    mentions={
        "verified_by": "Who saw proof of it, in the course of their work.",
        "consent_recorded_by": "Who put the consent on record: the student, or somebody in the course of their work.",
    },
)


class StillStudyingError(ConflictError):
    """Somebody who studies here is known here."""

    code = "still_studying"
    title = "The person is a student here until they have left."


STAYING = (StudentStatus.ADMITTED, StudentStatus.ACTIVE, StudentStatus.LEAVE_OF_ABSENCE, StudentStatus.SUSPENDED)


def studies_here(subject: Subject) -> ConflictError | None:
    """Refuse to erase a student who has not left."""
    staying = Student.objects.filter(person__in=subject.people, status__in=STAYING)
    return StillStudyingError() if staying.exists() else None


stands_in_the_way(studies_here)
