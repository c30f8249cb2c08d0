"""Everything that changes students and their programs.

Whoever changes anything about a student's programs locks the student first, then the programs.
"""

from students.services.guardians import (
    GuardianLinkValues,
    NewGuardianLinkValues,
    link_guardian,
    record_consent,
    revoke_guardian,
    update_guardian_link,
    verify_guardian,
    withdraw_consent,
)
from students.services.locking import hold_student, hold_student_of, lock_students
from students.services.program_enrollments import (
    NewProgramEnrollmentValues,
    ProgramEnrollmentValues,
    change_program_status,
    delete_program_enrollment,
    enrol_in_program,
    update_program_enrollment,
)
from students.services.students import (
    NewStudentValues,
    StudentValues,
    change_status,
    create_student,
    delete_student,
    opt_out_of_directory,
    update_student,
)

__all__ = [
    "GuardianLinkValues",
    "NewGuardianLinkValues",
    "NewProgramEnrollmentValues",
    "NewStudentValues",
    "ProgramEnrollmentValues",
    "StudentValues",
    "change_program_status",
    "change_status",
    "create_student",
    "delete_program_enrollment",
    "delete_student",
    "enrol_in_program",
    "hold_student",
    "hold_student_of",
    "link_guardian",
    "lock_students",
    "opt_out_of_directory",
    "record_consent",
    "revoke_guardian",
    "update_guardian_link",
    "update_program_enrollment",
    "update_student",
    "verify_guardian",
    "withdraw_consent",
]
