"""What programs can be told of attendance."""

from collections.abc import Collection
from uuid import UUID

from attendance.events import SessionCancelled, SessionClosed, SessionRescheduled, ThresholdCrossed
from attendance.models import AttendanceSummary, ClassSession
from core.recording import Disclosure
from notifications.offers import Offer
from notifications.services import offer_events
from students.models import Student

SESSION = ("session_id", "section_id", "local_date", "happened_at")
SEE_SESSIONS = "attendance.view_classsession"


def _people(students: Collection[str]) -> set[UUID]:
    return set(Student.objects.filter(pk__in=students).values_list("person_id", flat=True))


offer_events(
    Offer(
        event=SessionClosed, label="The students of a class have been marked", permission=SEE_SESSIONS,
        model=ClassSession, key="session_id", says=(*SESSION, "marked", "unmarked"),
    ),
    Offer(
        event=SessionCancelled, label="A class is cancelled", permission=SEE_SESSIONS, model=ClassSession,
        key="session_id", says=SESSION,
    ),
    Offer(
        event=SessionRescheduled, label="A class is at another time, or in another room", permission=SEE_SESSIONS,
        model=ClassSession, key="session_id", says=(*SESSION, "starts_at", "ends_at", "room_id"),
    ),
    Offer(
        event=ThresholdCrossed, label="A student falls short of attendance, or no longer does",
        permission="attendance.view_attendancesummary", model=AttendanceSummary, lookup="enrollment",
        key="enrollment_id", says=("enrollment_id", "student_id", "section_id", "is_short", "happened_at"),
        discloses=Disclosure("attendance", "student_id", behind=_people),
    ),
)  # fmt: skip
