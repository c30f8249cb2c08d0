"""Everything that changes projects."""

from projects.services.metadata import (
    InvalidMetadataKeyError,
    MetadataKeyTakenError,
    MetadataTooLargeError,
    TooManyMetadataError,
    add_metadata,
    clear_metadata,
    merge_metadata,
    replace_metadata,
)
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
    "InvalidMetadataKeyError",
    "KindWrittenApartError",
    "MetadataKeyTakenError",
    "MetadataTooLargeError",
    "ProjectTransitionError",
    "TooManyMetadataError",
    "UnknownKindError",
    "add_metadata",
    "change_project",
    "clear_metadata",
    "complete_project",
    "create_project",
    "delete_project",
    "make_project",
    "merge_metadata",
    "publish_project",
    "reopen_project",
    "replace_metadata",
    "update_project",
]
