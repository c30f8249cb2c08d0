"""Everything that changes files: taking them in, referring to them, deleting them, and collecting what is left."""

from files.names import InvalidFileNameError
from files.services.erasing import erase_links
from files.services.keeping import collect_garbage, deleted_due, verify
from files.services.links import LINKS
from files.services.uploads import (
    EmptyFileError,
    QuotaExceededError,
    delete_file,
    restore_file,
    upload_file,
)
from files.store import FileTooLargeError
from files.types import TypeMismatchError, TypeNotAllowedError

__all__ = [
    "LINKS",
    "EmptyFileError",
    "FileTooLargeError",
    "InvalidFileNameError",
    "QuotaExceededError",
    "TypeMismatchError",
    "TypeNotAllowedError",
    "collect_garbage",
    "delete_file",
    "deleted_due",
    "erase_links",
    "restore_file",
    "upload_file",
    "verify",
]
