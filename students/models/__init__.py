"""Students, their programs, and the history of both.

    accounts.Person 1 --- 0..1 Student 1 --- * ProgramEnrollment * --- 1 departments.Program
                               Student 1 --- * StudentStatusEvent
                               Student 1 --- * GuardianLink * --- 1 accounts.Person
                                               ProgramEnrollment 1 --- * ProgramEnrollmentEvent

A student's status says how they stand with the university, a program enrolment's how they stand
in one program. The program and cohort of a student are those of the primary program enrolment.
"""

from students.models.guardian_link import GuardianLink, GuardianRelation, GuardianScope, adult_born_until
from students.models.program_enrollment import (
    ENDED,
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    ProgramEnrollmentStatus,
)
from students.models.student import PRESENT, ContactChannel, Student, StudentStatus, StudentStatusEvent

__all__ = [
    "ENDED",
    "PRESENT",
    "ContactChannel",
    "GuardianLink",
    "GuardianRelation",
    "GuardianScope",
    "ProgramEnrollment",
    "ProgramEnrollmentEvent",
    "ProgramEnrollmentStatus",
    "Student",
    "StudentStatus",
    "StudentStatusEvent",
    "adult_born_until",
]
