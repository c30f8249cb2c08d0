"""What the records of the faculty say about people."""

from core.privacy import personal
from faculty.models import Faculty, FacultyAppointment, FacultyStatusEvent

SERVICE = "For good: who taught, and as what, is part of the academic record."

personal(
    Faculty,
    says="You as a member of the faculty.",
    kept=SERVICE,
    paths=("person",),
    keeps="employee_no rank employment_type department status fte",
    clears="custom_data",
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
