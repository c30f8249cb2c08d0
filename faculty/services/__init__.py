"""Everything that changes the faculty: people who teach, their posts and their standing."""

from faculty.services.members import (
    TRANSITIONS,
    EndsBeforeStartError,
    FacultyValues,
    NewFacultyValues,
    TransitionError,
    change_status,
    create_faculty,
    delete_faculty,
    update_faculty,
)
from faculty.services.reservations import (
    FacultyTakenError,
    forget_faculty,
    hold_faculty,
    release_faculty,
    reserve_faculty,
    want_only_faculty,
)

__all__ = [
    "TRANSITIONS",
    "EndsBeforeStartError",
    "FacultyTakenError",
    "FacultyValues",
    "NewFacultyValues",
    "TransitionError",
    "change_status",
    "create_faculty",
    "delete_faculty",
    "forget_faculty",
    "hold_faculty",
    "release_faculty",
    "reserve_faculty",
    "update_faculty",
    "want_only_faculty",
]
