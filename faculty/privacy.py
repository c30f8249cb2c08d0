"""What the records of the faculty say about people."""

from core.errors import ConflictError
from core.privacy import Subject, personal, stands_in_the_way
from faculty.models import GONE, Faculty, FacultyAppointment, FacultyReservation, FacultyStatusEvent

SERVICE = "For good: who taught, and as what, is part of the academic record."

personal(
    Faculty,
    says="You as a member of the faculty.",
    kept=SERVICE,
    paths=("person",),
    keeps="employee_no rank employment_type department status fte",
    clears="custom_data salary",
)
personal(
    FacultyAppointment,
    says="Your appointments, with their ranks.",
    kept=SERVICE,
    paths=("faculty__person",),
    keeps="department rank valid",
)
personal(
    FacultyStatusEvent,
    says="The steps of your standing as a member of the faculty.",
    kept=SERVICE,
    paths=("faculty__person",),
    keeps="from_status to_status happened_at",
    clears="reason",
    mentions={"actor": "Who took the step, in the course of their work."},
)
personal(
    FacultyReservation,
    says="When and where you were, or will be, wanted.",
    kept=SERVICE,
    paths=("faculty__person",),
    keeps="slot kind what source conflict_waived cancelled_at",
)


class StillEmployedError(ConflictError):
    """Somebody who holds a post here is known here."""

    code = "still_employed"
    title = "The person is a member of the faculty until they have left."


def works_here(subject: Subject) -> ConflictError | None:
    """Refuse to erase a member of the faculty who has not left."""
    staying = Faculty.objects.filter(person__in=subject.people).exclude(status__in=GONE)
    return StillEmployedError() if staying.exists() else None


stands_in_the_way(works_here)
