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

__all__ = [
    "TRANSITIONS",
    "EndsBeforeStartError",
    "FacultyValues",
    "NewFacultyValues",
    "TransitionError",
    "change_status",
    "create_faculty",
    "delete_faculty",
    "update_faculty",
]
