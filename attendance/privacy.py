"""What attendance says about people."""

from attendance.models import AttendanceRecord
from core.privacy import personal

personal(
    AttendanceRecord,
    says="In which classes you were marked, with what, and when.",
    kept="For good: it is part of the academic record, which goes on under a pseudonym after erasure.",
    paths=("enrollment__student__person",),
    keeps="session section local_date code minutes_late source marked_at",
    withholds={"client_id": "A number that a teacher's device gave to what it sent."},
    mentions={"marked_by": "Who marked you, in the course of their work."},
)
