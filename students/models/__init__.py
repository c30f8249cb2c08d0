"""Students, their programs, and the history of both.

    accounts.Person 1 --- 0..1 Student 1 --- * ProgramEnrollment * --- 1 departments.Program
                               Student 1 --- * StudentStatusEvent
                                               ProgramEnrollment 1 --- * ProgramEnrollmentEvent

A student's status says how they stand with the university, a program enrolment's how they stand
in one program. The program and cohort of a student are those of the primary program enrolment.
"""

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
    "ProgramEnrollment",
    "ProgramEnrollmentEvent",
    "ProgramEnrollmentStatus",
    "Student",
    "StudentStatus",
    "StudentStatusEvent",
]
