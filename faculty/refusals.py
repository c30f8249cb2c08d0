"""What the database's own guards of this app answer."""

from core.db.constraints import refusal
from core.errors import ConflictError


class AlreadyFacultyError(ConflictError):
    """A person would be a member of faculty twice."""

    code = "already_faculty"
    title = "This person already is a member of faculty."
    field = "person"


class EmployeeNoImmutableError(ConflictError):
    """An employee number that was given would change."""

    code = "employee_no_immutable"
    title = "An employee number is final once it is given."
    field = "employee_no"


class ImmutableError(ConflictError):
    """A recorded step would be changed or removed."""

    code = "immutable"
    title = "A recorded step of a history stays as it is."


refusal("faculty_faculty_person_id_key", AlreadyFacultyError)
refusal("faculty_faculty_employee_no_immutable", EmployeeNoImmutableError)
refusal("faculty_facultystatusevent_append_only", ImmutableError)
