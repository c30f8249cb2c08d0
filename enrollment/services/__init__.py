"""Everything that changes enrolments."""

from enrollment.services.locking import lock_for_enrolling, lock_sections_of
from enrollment.services.refusals import (
    CreditsOutOfRangeError,
    DuplicateEnrollmentError,
    EnrollmentEndedError,
    EnrollmentTransitionError,
    OverrideNotPermittedError,
    SectionCancelledError,
    SectionNotOpenError,
    StudentNotActiveError,
    TermClosedError,
    refusal_of,
)
from enrollment.services.registration import (
    EnrollmentChanges,
    EnrollmentValues,
    cancel,
    cancel_all_in,
    complete,
    confirm,
    drop,
    enroll,
    preflight,
    update_enrollment,
    withdraw,
)

__all__ = [
    "CreditsOutOfRangeError",
    "DuplicateEnrollmentError",
    "EnrollmentChanges",
    "EnrollmentEndedError",
    "EnrollmentTransitionError",
    "EnrollmentValues",
    "OverrideNotPermittedError",
    "SectionCancelledError",
    "SectionNotOpenError",
    "StudentNotActiveError",
    "TermClosedError",
    "cancel",
    "cancel_all_in",
    "complete",
    "confirm",
    "drop",
    "enroll",
    "lock_for_enrolling",
    "lock_sections_of",
    "preflight",
    "refusal_of",
    "update_enrollment",
    "withdraw",
]
