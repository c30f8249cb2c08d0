"""Everything that changes projects."""

from projects.services.states import ProjectTransitionError, complete_project, publish_project, reopen_project
from projects.services.writing import (
    KindWrittenApartError,
    UnknownKindError,
    change_project,
    create_project,
    delete_project,
    make_project,
    update_project,
)

__all__ = [
    "KindWrittenApartError",
    "ProjectTransitionError",
    "UnknownKindError",
    "change_project",
    "complete_project",
    "create_project",
    "delete_project",
    "make_project",
    "publish_project",
    "reopen_project",
    "update_project",
]
