"""Everything that changes which classes take place, when and where."""

from attendance.services.changing import (
    SessionCancelledError,
    cancel_session,
    lock_gatherings,
    reschedule_session,
)
from attendance.services.generation import Generated, generate_sessions

__all__ = [
    "Generated",
    "SessionCancelledError",
    "cancel_session",
    "generate_sessions",
    "lock_gatherings",
    "reschedule_session",
]
