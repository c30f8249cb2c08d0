"""Everything that changes which classes take place, when and where, and who was there."""

from attendance.services.changing import (
    SessionCancelledError,
    SessionMarkedError,
    cancel_session,
    lock_gatherings,
    reschedule_session,
)
from attendance.services.codes import create_code, delete_code, update_code
from attendance.services.generation import Generated, generate_sessions
from attendance.services.marking import Mark, Marked, close_session, mark_roster, open_session

__all__ = [
    "Generated",
    "Mark",
    "Marked",
    "SessionCancelledError",
    "SessionMarkedError",
    "cancel_session",
    "close_session",
    "create_code",
    "delete_code",
    "generate_sessions",
    "lock_gatherings",
    "mark_roster",
    "open_session",
    "reschedule_session",
    "update_code",
]
