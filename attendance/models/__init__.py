"""What takes place on which day, and who was there.

courses.Meeting 1 --- * ClassSession * --- 1 courses.Section
                        ClassSession 1 --- * AttendanceRecord * --- 1 enrollment.Enrollment
                                             AttendanceRecord * --- 1 AttendanceCode
    AttendancePolicy: by which rule it is judged.
    enrollment.Enrollment 1 --- * EligibilityDecision, of which one is current
    EligibilityDecision 1 --- 0..1 Condonation
    departments.Term 1 --- * DecisionRun
    students.Student 1 --- * ExcuseRequest 1 --- * CoveredMark * --- 1 ClassSession
    faculty.Faculty 1 --- * Substitution * --- 1 ClassSession
"""

from attendance.models.calendar_feeds import CalendarFeed
from attendance.models.check_in import CheckInEvent, CheckInWindow, Flag, Outcome
from attendance.models.codes import AttendanceCode
from attendance.models.condonations import Condonation
from attendance.models.decision_runs import DecisionRun, RunState
from attendance.models.eligibility import ADMITTED, Eligibility, EligibilityDecision, Outdated
from attendance.models.excuses import CoveredMark, ExcuseEvent, ExcuseKind, ExcuseRequest, ExcuseStatus
from attendance.models.offline import OfflineMark, OfflineOutcome
from attendance.models.policies import AttendancePolicy, Basis, Rounding
from attendance.models.readers import Credential, Punch, PunchOutcome, Reader
from attendance.models.records import AttendanceRecord, Source
from attendance.models.sessions import ClassSession, ClassSessionQuerySet, Marking, Roster, SessionStatus, SheetHistory
from attendance.models.standings import Standing
from attendance.models.substitutions import Substitution, SubstitutionEvent, SubstitutionOffer, SubstitutionStatus
from attendance.models.summaries import AttendanceSummary

__all__ = [
    "ADMITTED",
    "AttendanceCode",
    "AttendancePolicy",
    "AttendanceRecord",
    "AttendanceSummary",
    "Basis",
    "CalendarFeed",
    "CheckInEvent",
    "CheckInWindow",
    "ClassSession",
    "ClassSessionQuerySet",
    "Condonation",
    "CoveredMark",
    "Credential",
    "DecisionRun",
    "Eligibility",
    "EligibilityDecision",
    "ExcuseEvent",
    "ExcuseKind",
    "ExcuseRequest",
    "ExcuseStatus",
    "Flag",
    "Marking",
    "OfflineMark",
    "OfflineOutcome",
    "Outcome",
    "Outdated",
    "Punch",
    "PunchOutcome",
    "Reader",
    "Roster",
    "Rounding",
    "RunState",
    "SessionStatus",
    "SheetHistory",
    "Source",
    "Standing",
    "Substitution",
    "SubstitutionEvent",
    "SubstitutionOffer",
    "SubstitutionStatus",
]
