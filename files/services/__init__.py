"""Everything that changes files: taking them in, scanning, referring, deleting, and collecting what is left."""

from files.archives import UnsafeArchiveError
from files.clamd import ScannerUnavailableError
from files.names import InvalidFileNameError
from files.services.attachments import (
    AlreadyAttachedError,
    TooManyAttachmentsError,
    attach_file,
    detach_file,
)
from files.services.erasing import erase_links
from files.services.keeping import collect_garbage, deleted_due, verify
from files.services.links import LINKS
from files.services.resuming import (
    UploadOffsetError,
    UploadTooLongError,
    append,
    begin_upload,
    end_upload,
    purge_uploads,
    require_offset,
)
from files.services.scanning import (
    InfectedError,
    NotScannedError,
    require_released,
    scan_content,
    scan_due,
)
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
    "AlreadyAttachedError",
    "EmptyFileError",
    "FileTooLargeError",
    "InfectedError",
    "InvalidFileNameError",
    "NotScannedError",
    "QuotaExceededError",
    "ScannerUnavailableError",
    "TooManyAttachmentsError",
    "TypeMismatchError",
    "TypeNotAllowedError",
    "UnsafeArchiveError",
    "UploadOffsetError",
    "UploadTooLongError",
    "append",
    "attach_file",
    "begin_upload",
    "collect_garbage",
    "delete_file",
    "deleted_due",
    "detach_file",
    "end_upload",
    "erase_links",
    "purge_uploads",
    "require_offset",
    "require_released",
    "restore_file",
    "scan_content",
    "scan_due",
    "upload_file",
    "verify",
]
