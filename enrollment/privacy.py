"""What enrolments say about people."""

from core.privacy import personal
from enrollment.models import Enrollment, EnrollmentEvent

LEDGER = "For good: it is part of the academic record, which goes on under a pseudonym after erasure."

personal(
    Enrollment,
    says="The sections that you take or took, and what came of it.",
    kept=LEDGER,
    paths=("student__person",),
    keeps=(
        "section course term status credits grade_basis attempt_no is_repeatable result enrolled_at dropped_at source"
    ),
)
personal(
    EnrollmentEvent,
    says="The steps of your enrolments.",
    kept=LEDGER,
    paths=("enrollment__student__person",),
    keeps="from_status to_status overridden happened_at",
    clears="reason",
    mentions={"actor": "Who took the step: yourself, or somebody in the course of their work."},
)
