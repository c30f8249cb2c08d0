"""Everything that changes what was asked about the data of people, and what answers it."""

from privacy.services.archive import listed, write_archive
from privacy.services.exports import (
    ExportUnavailableError,
    NoPersonError,
    ReasonMissingError,
    discard_export,
    make_export,
    open_export,
    purge_exports,
    request_export,
    write_for_operator,
)
from privacy.services.subjects import subject_of

__all__ = [
    "ExportUnavailableError",
    "NoPersonError",
    "ReasonMissingError",
    "discard_export",
    "listed",
    "make_export",
    "open_export",
    "purge_exports",
    "request_export",
    "subject_of",
    "write_archive",
    "write_for_operator",
]
