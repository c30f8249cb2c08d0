"""What the database's own guards of this app answer."""

from core.db.constraints import refusal
from core.errors import ConflictError, InUseError
from courses.services import (
    RoomConflictError,
    SectionFullError,
    SharesNot100Error,
    VersionInUseError,
    WaitlistFullError,
)


class HistoryIsFinalError(ConflictError):
    """A row that records what happened would be changed."""

    code = "immutable"
    title = "What happened to a section stays on record as it was."


refusal("courses_section_seats", SectionFullError)
refusal("courses_section_waitlist_seats", WaitlistFullError)
refusal("courses_sectioninstructor_shares_total_100", SharesNot100Error)
refusal("courses_meeting_room_free", RoomConflictError)
refusal("courses_sectionstatusevent_immutable", HistoryIsFinalError)
refusal("courses_section_version_of_course", VersionInUseError)
refusal("courses_course_version_of_course", InUseError)
