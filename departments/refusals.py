"""What the database's own guards of this app answer."""

from core.db.constraints import refusal
from core.errors import ConflictError
from departments.services.calendar import OutsideAcademicYearError, TermsOutsideYearError


class DepartmentCycleError(ConflictError):
    """A department would lie below itself."""

    code = "department_cycle"
    title = "A department cannot lie below itself."
    field = "parent"


refusal("departments_department_no_cycle", DepartmentCycleError)
refusal("departments_term_within_year", OutsideAcademicYearError)
refusal("departments_academicyear_holds_terms", TermsOutsideYearError)
