"""What the database's own guards of this app answer."""

from core.db.constraints import refusal
from core.errors import ConflictError, DomainError, InUseError


class HistoryIsFinalError(ConflictError):
    """A row that records what happened would be changed."""

    code = "immutable"
    title = "What happened to an enrolment stays on record as it was."


def _section_in_use() -> DomainError:
    return InUseError("Students are enrolled in the section; its course and term stay as they are.", field="section")


refusal("enrollment_enrollment_section_matches", _section_in_use)
refusal("enrollment_enrollmentevent_immutable", HistoryIsFinalError)
