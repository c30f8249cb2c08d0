"""What the database's own guards of this app answer."""

from core.db.constraints import refusal
from core.errors import ConflictError


class AlreadyAStudentError(ConflictError):
    """A person would be a student twice."""

    code = "already_a_student"
    title = "This person already is a student."
    field = "person"


class StudentNoImmutableError(ConflictError):
    """A student number that was issued would change."""

    code = "student_no_immutable"
    title = "A student number is final once it is issued."
    field = "student_no"


class ImmutableError(ConflictError):
    """A recorded step would be changed or removed."""

    code = "immutable"
    title = "A recorded step of a history stays as it is."


refusal("students_student_person_id_key", AlreadyAStudentError)
refusal("students_student_student_no_immutable", StudentNoImmutableError)
refusal("students_studentstatusevent_append_only", ImmutableError)
refusal("students_programenrollmentevent_append_only", ImmutableError)
