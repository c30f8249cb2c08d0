"""Everything that changes what was asked about the data of people, and what answers it."""

from privacy.services.archive import listed, write_archive
from privacy.services.erasures import (
    DecidedError,
    SelfApprovalError,
    approve_erasure,
    carry_out_erasure,
    erase_person,
    reject_erasure,
    request_erasure,
)
from privacy.services.exports import (
    NoPersonError,
    discard_export,
    is_about_oneself,
    make_export,
    open_export,
    purge_exports,
    request_export,
    require_fetchable,
    write_for_operator,
)
from privacy.services.holds import HeldError, OwnHoldError, ReleasedError, place_hold, release_hold
from privacy.services.reasons import ReasonMissingError
from privacy.services.retention import apply_retention, retention_standings
from privacy.services.subjects import subject_of

__all__ = [
    "DecidedError",
    "HeldError",
    "NoPersonError",
    "OwnHoldError",
    "ReasonMissingError",
    "ReleasedError",
    "SelfApprovalError",
    "apply_retention",
    "approve_erasure",
    "carry_out_erasure",
    "discard_export",
    "erase_person",
    "is_about_oneself",
    "listed",
    "make_export",
    "open_export",
    "place_hold",
    "purge_exports",
    "reject_erasure",
    "release_hold",
    "request_erasure",
    "request_export",
    "require_fetchable",
    "retention_standings",
    "subject_of",
    "write_archive",
    "write_for_operator",
]
