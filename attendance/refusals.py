"""What the database's own guards of this app answer."""

from attendance.services.changing import SessionMarkedError
from attendance.services.codes import CodeBuiltInError
from core.db.constraints import refusal
from core.errors import ConflictError
from enrollment.services import TermClosedError


class EnrolledElsewhereError(ConflictError):
    """A record would be about a section in which its student is not."""

    code = "roster_mismatch"
    title = "The enrolment is not in the section of the session."


class DecisionIsFinalError(ConflictError):
    """What was decided about admission would be changed or deleted."""

    code = "immutable"
    title = "What was decided about an enrolment stays on record as it was; another decision supersedes it."


class CondonationIsFinalError(ConflictError):
    """What a condonation rests on would be handed to another decision, or lost."""

    code = "immutable"
    title = "What a condonation rests on stays with the decision that condones."


class HistoryIsFinalError(ConflictError):
    """A step that was recorded would be changed or deleted."""

    code = "immutable"
    title = "A step that was recorded stays as it was."


refusal("attendance_attendancerecord_session_matches", SessionMarkedError)
refusal("attendance_attendancerecord_enrollment_matches", EnrolledElsewhereError)
refusal("attendance_attendancerecord_term_open", TermClosedError)
refusal("attendance_eligibilitydecision_final", DecisionIsFinalError)
refusal("attendance_condonation_final", CondonationIsFinalError)
refusal("attendance_attendancecode_built_in", CodeBuiltInError)
refusal("attendance_excuseevent_append_only", HistoryIsFinalError)
refusal("attendance_substitutionevent_append_only", HistoryIsFinalError)
