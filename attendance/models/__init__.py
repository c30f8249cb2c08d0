"""What takes place on which day, and who was there.

courses.Meeting 1 --- * ClassSession * --- 1 courses.Section
                        ClassSession 1 --- * AttendanceRecord * --- 1 enrollment.Enrollment
                                             AttendanceRecord * --- 1 AttendanceCode
"""

from attendance.models.codes import AttendanceCode
from attendance.models.records import AttendanceRecord, Source
from attendance.models.sessions import ClassSession, ClassSessionQuerySet, Marking, Roster, SessionStatus
from attendance.models.standings import Standing

__all__ = [
    "AttendanceCode",
    "AttendanceRecord",
    "ClassSession",
    "ClassSessionQuerySet",
    "Marking",
    "Roster",
    "SessionStatus",
    "Source",
    "Standing",
]
